#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares statelib's tokenizers with PyPI's `tokenizers` on random tokenizers and strings.

    python3 tests/golden/crosscheck_tokenizers.py [--statelib build/cpu/statelib] [--seed N]
                                                  [--rounds 2] [--texts 300] [--keep FOLDER]

Every round trains a small tokenizer of each kind below with fresh seeds, encodes random and hard strings with both
programs and compares ids (with and without the tokens around a text) and decoded text (with and without special tokens).
Ends with 1 and the first differences of each kind when there are any. --keep writes tokenizers and texts as golden files.
"""
import argparse, json, pathlib, random, subprocess, sys, tempfile

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

WORDS = """the budget of a library state model's they're I'll IT'S Don'T naive café cafe\u0301 Straße größe ПРИВЕТ мир
日本語 文字 한국어 हिन्दी العربية עברית ελληνικά Ω Å \u2126 \u212b ﬁn ﬀ ½ ² Ⅷ ٣٤ 12345 3.14 1,000 007 x2y 0x7fff a_b --- ... ??? !? «q» “q” $5 €9 a+b=c
<tag> `code` {x} [y] 😀 👩\u200d👩\u200d👧 🇩🇪 \u200b \ufeff e\u0301\u0323 ẹ́ \u00ad""".split()
SPACES = [" ", "  ", "   ", "\n", "\r\n", "\n\n\n", "\t", " \n ", "\u00a0", "\u3000", "\u2028", "\x85", " " * 17, "▁", " ▁ "]
RANGES = [(0x20, 0x7E), (0x20, 0x7E), (0xA0, 0x24F), (0x300, 0x330), (0x370, 0x3E1), (0x400, 0x44F), (0x905, 0x94D), (0x4E00, 0x4F00),
          (0xAC00, 0xAD00), (0x2010, 0x205E), (0x20A0, 0x20AC), (0x2150, 0x2180), (0xFF01, 0xFF5E), (0x1F600, 0x1F640), (0, 0x1F)]
SPECIALS = ["<s>", "</s>", "<unk>", "<|end|>", "[INST]", "<mask>", "◆word"]
BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
          r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
PATTERNS = [Regex(r"\s+"), Regex(r"\d"), Regex(r"[0-9][0-9][0-9]"), Regex(r"\p{L}+"), Regex(r"\w+|[^\w\s]+"), Regex(LLAMA3), Regex(TEKKEN),
            Regex("a|e"), " ", "e", "--", "▁", Regex(r"(?=[A-Z])"), Regex(r"x*"), Regex(r"^.|.$"), Regex(r"[^\S\n]+")]


def random_text(rng):
    parts = []
    for _ in range(rng.randint(0, 12)):
        draw = rng.random()
        if draw < 0.45:
            parts.append(rng.choice(WORDS))
        elif draw < 0.75:
            parts.append(rng.choice(SPACES) if rng.random() < 0.4 else " ")
        elif draw < 0.92:
            low, high = rng.choice(RANGES)
            parts.append("".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 6))))
        elif draw < 0.97:
            parts.append(rng.choice(SPECIALS))
        else:
            parts.append(rng.choice("aA1 .-▁é😀") * rng.randint(2, 70))
    return "".join(parts)


def corpus(rng):
    return [" ".join(rng.choices(WORDS, k=12)) + rng.choice(SPACES) + random_text(rng) for _ in range(150)]


def trained(rng, build, alphabet, specials=(), **model):
    """A BPE tokenizer with the pipeline that `build` sets, trained on random text."""
    tokenizer = Tokenizer(models.BPE(**model))
    build(tokenizer)
    trainer = trainers.BpeTrainer(vocab_size=rng.randint(320, 900), special_tokens=list(specials), initial_alphabet=alphabet,
                                  limit_alphabet=rng.choice([60, 120, 1000]), show_progress=False)
    tokenizer.train_from_iterator(corpus(rng), trainer)
    return tokenizer


def byte_level(rng, build, **model):
    tokenizer = trained(rng, build, pre_tokenizers.ByteLevel.alphabet(), ["<s>", "</s>"], **model)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def with_added(rng, tokenizer, normalized=True):
    for content in ["<|end|>", "[INST]", "<mask>", "◆word"]:
        if rng.random() < 0.7:
            flags = dict(lstrip=rng.random() < 0.3, rstrip=rng.random() < 0.3, single_word=rng.random() < 0.3, normalized=normalized and rng.random() < 0.5)
            add = tokenizer.add_special_tokens if rng.random() < 0.5 else tokenizer.add_tokens
            add([AddedToken(content, **flags)])
    return tokenizer


def around(rng, tokenizer):
    template = rng.choice(["<s> $A", "<s> $A </s>", "$A </s>"])
    ids = [(t, tokenizer.token_to_id(t)) for t in ("<s>", "</s>")]
    process = processors.TemplateProcessing(single=template, pair=template + " $B", special_tokens=ids)
    if isinstance(tokenizer.decoder, decoders.ByteLevel) and rng.random() < 0.5:
        process = processors.Sequence([processors.ByteLevel(trim_offsets=False), process])
    tokenizer.post_processor = process
    return tokenizer


def sequence_of(*parts):
    def build(tokenizer):
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(list(parts))
    return build


def falcon(rng):
    return with_added(rng, byte_level(rng, sequence_of(
        pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False),
        pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated"))))


def gpt_neox(rng):
    def build(tokenizer):
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=rng.random() < 0.3)
    tokenizer = byte_level(rng, build)
    tokenizer.add_tokens([AddedToken(" " * n, normalized=True) for n in range(24, 1, -1)])
    return with_added(rng, tokenizer)


def llama3(rng):
    tokenizer = byte_level(rng, sequence_of(pre_tokenizers.Split(Regex(rng.choice([LLAMA3, TEKKEN])), "isolated"),
                                            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)),
                           ignore_merges=rng.random() < 0.8)
    # Tokens that no merge makes are what ignore_merges is for.
    text = json.loads(tokenizer.to_str())
    text["model"]["merges"] = [m for m in text["model"]["merges"] if rng.random() < 0.97]
    return around(rng, with_added(rng, Tokenizer.from_str(json.dumps(text))))


def llama(rng):
    """SentencePiece as the converters write it: byte fallback, fused unknown tokens, no pre-tokens."""
    def build(tokenizer):
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("▁?[^▁]+|▁"), "isolated")  # for training only
    bytes_ = [f"<0x{b:02X}>" for b in range(256)]
    fallback = rng.random() < 0.8
    tokenizer = trained(rng, build, list("▁aetoin"), ["<unk>", "<s>", "</s>"] + (bytes_ if fallback else []),
                        unk_token="<unk>", fuse_unk=rng.random() < 0.7, byte_fallback=fallback)
    tokenizer.pre_tokenizer = None
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    text = json.loads(tokenizer.to_str())
    text["pre_tokenizer"] = None
    text["added_tokens"] = [t for t in text["added_tokens"] if not t["content"].startswith("<0x")]
    # The library decodes a normalised token with the prefix that its normaliser gave it (core/tokenizer/README.md).
    return around(rng, with_added(rng, Tokenizer.from_str(json.dumps(text)), normalized=False))


def metaspace(scheme):
    def make(rng):
        def build(tokenizer):
            tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", scheme, split=rng.random() < 0.6)
        tokenizer = trained(rng, build, list("▁aetoin"), ["<s>", "</s>", "<unk>"], unk_token="<unk>", fuse_unk=rng.random() < 0.5)
        tokenizer.decoder = decoders.Metaspace("▁", scheme)
        return around(rng, with_added(rng, tokenizer))
    return make


def split(behavior):
    def make(rng):
        parts = [pre_tokenizers.Split(rng.choice(PATTERNS), behavior, invert=rng.random() < 0.4) for _ in range(rng.randint(1, 2))]
        return byte_level(rng, sequence_of(*parts, pre_tokenizers.ByteLevel(add_prefix_space=rng.random() < 0.3, use_regex=rng.random() < 0.3)))
    return make


def digits(individual):
    def make(rng):
        parts = [pre_tokenizers.Digits(individual), pre_tokenizers.Punctuation(rng.choice(BEHAVIORS))]
        rng.shuffle(parts)
        return byte_level(rng, sequence_of(*parts, pre_tokenizers.ByteLevel(add_prefix_space=False)))
    return make


def normalizing(rng):
    steps = [normalizers.NFC(), normalizers.NFD(), normalizers.NFKC(), normalizers.NFKD(), normalizers.Strip(rng.random() < 0.7, rng.random() < 0.7),
             normalizers.Replace(Regex(r"\s{2,}"), " "), normalizers.Replace("e", "éé"), normalizers.Replace(Regex("[0-9]"), ""),
             normalizers.Prepend("_")]
    def build(tokenizer):
        tokenizer.normalizer = normalizers.Sequence(rng.sample(steps, rng.randint(1, 3)))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return with_added(rng, byte_level(rng, build), normalized=False)  # as for llama


KINDS = {"falcon": falcon, "gpt-neox": gpt_neox, "llama3": llama3, "llama": llama, "normalizers": normalizing,
         **{f"metaspace-{s}": metaspace(s) for s in ("always", "first", "never")},
         **{f"split-{b}": split(b) for b in BEHAVIORS},
         **{f"digits-{n}": digits(i) for n, i in (("together", False), ("individual", True))}}


def run_lines(program, lines, *arguments):
    given = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run([program, *arguments, "--json"], input=given, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def compare(program, path, tokenizer, texts):
    """The texts whose ids or decoded text differ, with both."""
    lines = [{"text": text} for text in texts]
    options = [getattr(tokenizer, "option", "--tokenizer"), str(path)]
    plain = run_lines(program, lines, "tokenize", "--lines-json", *options)
    full = run_lines(program, lines, "tokenize", "--lines-json", "--add-special", *options)
    wanted = [{"plain": tokenizer.encode(t, add_special_tokens=False).ids, "full": tokenizer.encode(t).ids} for t in texts]
    # Random ids also end runs of bytes anywhere.
    skipped = run_lines(program, [{"ids": w["full"][::-1]} for w in wanted], "detokenize", "--skip-special", *options)
    different = []
    for text, p, f, s, w in zip(texts, plain, full, skipped, wanted):
        w["decoded"] = tokenizer.decode(w["full"], skip_special_tokens=False)
        w["skipped"] = tokenizer.decode(w["full"][::-1], skip_special_tokens=True)
        found = {"plain": p["ids"], "full": f["ids"], "decoded": f["decoded"], "skipped": s["text"]}
        if found != w:
            different.append((text, found, w))
    return different


def keep(folder, kind, tokenizer, texts):
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(tokenizer, Tokenizer):
        (folder / f"{kind}.tokenizer.json").write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":")) + "\n")
    else:
        tokenizer.save(folder / f"{kind}.gguf")
    with open(folder / f"{kind}.jsonl", "w") as file:
        for text in texts:
            ids = tokenizer.encode(text).ids
            file.write(json.dumps({"text": text, "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False)}) + "\n")


def main(kinds, description, versions):
    arguments = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--statelib", default="build/cpu/statelib")
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    arguments.add_argument("--rounds", type=int, default=2)
    arguments.add_argument("--texts", type=int, default=300)
    arguments.add_argument("--kind", choices=kinds)
    arguments.add_argument("--keep", type=pathlib.Path)
    options = arguments.parse_args()
    print(f"{versions}, seed {options.seed}")
    failed = strings = made = 0
    with tempfile.TemporaryDirectory() as folder:
        for kind, make in kinds.items():
            if options.kind not in (None, kind):
                continue
            different = []
            for number in range(options.rounds):
                rng = random.Random(f"{options.seed} {kind} {number}")
                tokenizer = make(rng)
                texts = ["", " ", "a", " a", "<s>", "x"] + [random_text(rng) for _ in range(options.texts)]
                texts += getattr(tokenizer, "also", [])
                texts = [text for text in texts if not any(word in text for word in getattr(tokenizer, "unseen", ()))]
                path = pathlib.Path(folder) / "tokenizer.json"
                tokenizer.save(str(path))
                found = compare(options.statelib, path, tokenizer, texts)
                different += found
                strings += len(texts)
                made += 1
                if options.keep and number == 0:
                    keep(options.keep, kind, tokenizer, texts[:60])
            print(f"{kind:24} {'equal' if not different else f'{len(different)} DIFFERENT'}")
            for text, found, wanted in different[:3]:
                for key in wanted:
                    if found[key] != wanted[key]:
                        print(f"  {text!r} {key}\n    statelib {found[key]!r}\n    expected {wanted[key]!r}")
            failed += len(different)
    print(f"{made} tokenizers, {strings} strings, {failed} different")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(KINDS, __doc__, f"tokenizers {tokenizers.__version__}"))
