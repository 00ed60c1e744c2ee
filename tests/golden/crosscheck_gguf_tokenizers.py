#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the tokenizers that statelib builds from GGUF's arrays with their originals on random ones.

    python3 tests/golden/crosscheck_gguf_tokenizers.py [--statelib build/cpu/statelib] [--seed N] [--rounds 2] [--texts 300]
                                                       [--kind KIND] [--keep FOLDER]

The kind `sentencepiece` is GGUF's `llama`: every round trains a BPE model with byte fallback, writes pieces, scores and types into a
GGUF file as llama.cpp's converter does, and compares with PyPI's `sentencepiece`. The kinds of `gpt2` are byte-level
tokenizers of PyPI's `tokenizers` under llama.cpp's names for their splitting. Needs gguf, numpy, sentencepiece and tokenizers.
"""
import io, random, sys, unicodedata

import gguf, numpy, sentencepiece, tokenizers
from tokenizers import AddedToken, Regex, normalizers, pre_tokenizers

import crosscheck_tokenizers as base

CONTROL, USER_DEFINED = gguf.TokenType.CONTROL, gguf.TokenType.USER_DEFINED


class Encoding:
    def __init__(self, ids):
        self.ids = ids


class Embedded:
    """A tokenizer that lies in a GGUF file, and its original."""

    option = "--model"

    def save(self, path):
        """A whole model file: one layer of the smallest sizes, and the tokenizer."""
        hidden, inner, states, rank, kernel = 2, 4, 1, 1, 2
        rows = len(self.tokens)
        writer = gguf.GGUFWriter(path, "mamba")
        writer.add_embedding_length(hidden)
        writer.add_block_count(1)
        writer.add_ssm_conv_kernel(kernel)
        writer.add_ssm_inner_size(inner)
        writer.add_ssm_state_size(states)
        writer.add_ssm_time_step_rank(rank)
        writer.add_layer_norm_rms_eps(1e-5)
        self.describe(writer)
        shapes = {"token_embd.weight": (rows, hidden), "output_norm.weight": (hidden,), "blk.0.attn_norm.weight": (hidden,),
                  "blk.0.ssm_in.weight": (2 * inner, hidden), "blk.0.ssm_conv1d.weight": (inner, kernel),
                  "blk.0.ssm_conv1d.bias": (inner,), "blk.0.ssm_x.weight": (rank + 2 * states, inner),
                  "blk.0.ssm_dt.weight": (inner, rank), "blk.0.ssm_dt.bias": (inner,), "blk.0.ssm_a": (inner, states),
                  "blk.0.ssm_d": (inner,), "blk.0.ssm_out.weight": (hidden, inner)}
        for name, shape in shapes.items():
            writer.add_tensor(name, numpy.full(shape, -1, numpy.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


class Pieces(Embedded):
    """SentencePiece's own model. It takes the names of its control tokens in a text as text, llama.cpp and statelib as those
    tokens: texts with them are left out."""

    unseen = ("<s>", "</s>", "<unk>")

    def __init__(self, rng):
        model = io.BytesIO()
        self.prefix, self.end = rng.random() < 0.7, rng.random() < 0.3
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(line for text in base.corpus(rng) for line in text.split("\n")), model_writer=model,
            model_type="bpe", vocab_size=rng.randint(1800, 2600), hard_vocab_limit=False, num_threads=1,
            character_coverage=rng.choice([0.98, 0.99, 1.0]), byte_fallback=True, normalization_rule_name="identity",
            remove_extra_whitespaces=False, add_dummy_prefix=self.prefix, split_digits=rng.random() < 0.5,
            split_by_whitespace=rng.random() < 0.7, split_by_unicode_script=rng.random() < 0.7,
            allow_whitespace_only_pieces=rng.random() < 0.7, max_sentencepiece_length=rng.choice([8, 16]),
            minloglevel=2)
        self.original = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
        self.tokens = [self.original.id_to_piece(i) for i in range(self.original.vocab_size())]

    def type_of(self, token):
        original = self.original
        for kind, name in ((original.is_unknown, "UNKNOWN"), (original.is_control, "CONTROL"), (original.is_unused, "UNUSED"),
                           (original.is_byte, "BYTE")):
            if kind(token):
                return gguf.TokenType[name]
        return gguf.TokenType.NORMAL

    def describe(self, writer):
        ids = range(len(self.tokens))
        writer.add_tokenizer_model("llama")
        writer.add_tokenizer_pre("default")
        writer.add_token_list(self.tokens)
        writer.add_token_scores([self.original.get_score(i) for i in ids])
        writer.add_token_types([self.type_of(i) for i in ids])
        writer.add_bos_token_id(self.original.bos_id())
        writer.add_eos_token_id(self.original.eos_id())
        writer.add_unk_token_id(self.original.unk_id())
        writer.add_add_space_prefix(self.prefix)
        writer.add_add_eos_token(self.end)

    def encode(self, text, add_special_tokens=True):
        return Encoding(self.original.encode(text, add_bos=add_special_tokens, add_eos=add_special_tokens and self.end))

    def decode(self, ids, skip_special_tokens):
        if skip_special_tokens:
            return self.original.decode(ids)
        # SentencePiece never shows control tokens; here they stand around a text, which then keeps the space before it.
        begin, end = self.original.bos_id(), self.original.eos_id()
        inner = self.original.decode([i for i in ids if i not in (begin, end)])
        space = " " if self.prefix and len(ids) > 1 + self.end else ""
        return "<s>" + space + inner + ("</s>" if self.end else "")


class ByteLevel(Embedded):
    """A tokenizer of PyPI's `tokenizers` under llama.cpp's name for its splitting."""

    def __init__(self, rng, pre, build, **model):
        self.pre = pre
        self.also = [cased_text(random.Random(rng.random())) for _ in range(40)]
        self.original = base.byte_level(rng, build, **model)
        self.original.add_special_tokens(["<|end|>", "<mask>"])
        self.original.add_tokens([AddedToken(token, normalized=True) for token in ("◆word", "   ")])
        self.tokens = [self.original.id_to_token(i) for i in range(self.original.get_vocab_size())]

    def describe(self, writer):
        added = self.original.get_added_tokens_decoder()
        types = [(CONTROL if added[i].special else USER_DEFINED) if i in added else gguf.TokenType.NORMAL
                 for i in range(len(self.tokens))]
        merges = base.json.loads(self.original.to_str())["model"]["merges"]
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(self.pre)
        writer.add_token_list(self.tokens)
        writer.add_token_types(types)
        writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
        writer.add_bos_token_id(self.original.token_to_id("<s>"))
        writer.add_add_bos_token(False)

    def encode(self, text, add_special_tokens=True):
        return self.original.encode(text, add_special_tokens=add_special_tokens)

    def decode(self, ids, skip_special_tokens):
        return self.original.decode(ids, skip_special_tokens=skip_special_tokens)


def cased_text(rng):
    """Words of scripts whose letters some expressions count and others do not, with digits and marks between. Characters that
    Unicode 14 does not have are left out: there the two differ (core/tokenizer/README.md)."""
    letters = (chr(rng.randint(*rng.choice(CASED))) for _ in range(rng.randint(2, 30)))
    return "".join(rng.choice(["", " ", "\n", "  ", "1", "!", "\u0301", "。"]) + c for c in letters if unicodedata.category(c) != "Cn")


def byte_level(pre, *parts, normal_form=None, **model):
    def build(tokenizer):
        if normal_form:
            tokenizer.normalizer = normal_form
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(list(parts))
    return lambda rng: ByteLevel(rng, pre, build, **model)


GPT2 = pre_tokenizers.ByteLevel(add_prefix_space=False)
CASED = [(0x41, 0x7A), (0x180, 0x24F), (0x370, 0x3FF), (0x530, 0x58F), (0x10A0, 0x10FF), (0x13A0, 0x13FD), (0x1C80, 0x1CBF), (0x1D00, 0x1DBF),
         (0x1F00, 0x1FFF), (0x2100, 0x214F), (0x2C00, 0x2D2D), (0xA640, 0xA7CA), (0xAB30, 0xABBF), (0xFB00, 0xFB17), (0xFF21, 0xFF5A),
         (0x10400, 0x104FB), (0x10C80, 0x10CF2), (0x118A0, 0x118DF), (0x16E40, 0x16E7F), (0x1E900, 0x1E943), (0x0, 0x2FFF), (0x4E00, 0x9FFF)]
# The letters of deepseek-llm's published expression, which are some of the cased ones.
DEEPSEEK_LETTERS = """
41-5A 61-7A B5 C0-D6 D8-F6 F8-1BA 1BC-1BF 1C4-293 295-2AF 370-373 376 377 37B-37D 37F 386 388-38A 38C 38E-3A1 3A3-3F5
3F7-481 48A-52F 531-556 10A0-10C5 13A0-13F5 13F8-13FD 1C90-1CBA 1CBD-1CBF 1D00-1D2B 1D6B-1D77 1D79-1D9A 1E00-1F15
1F18-1F1D 1F20-1F45 1F48-1F4D 1F50-1F57 1F59 1F5B 1F5D 1F5F-1F7D 1F80-1FB4 1FB6-1FBC 1FBE 1FC2-1FC4 1FC6-1FCC
1FD0-1FD3 1FD6-1FDB 1FE0-1FEC 1FF2-1FF4 1FF6-1FFC 2102 2107 210A-2113 2115 2119-211D 2124 2126 2128 212A-212D
212F-2134 2139 213C-213F 2145-2149 214E 2183 2184 2C00-2C7B 2C7E-2CE4 2CEB-2CEE 2CF2 2CF3 A640-A66D A680-A69B
A722-A76F A771-A787 A78B-A78E AB70-ABBF FB00-FB06 FB13-FB17 FF21-FF3A FF41-FF5A 10400-1044F 104B0-104D3 104D8-104FB
10C80-10CB2 10CC0-10CF2 118A0-118DF 1E900-1E943
"""
DEEPSEEK_CLASS = "".join("-".join(chr(int(end, 16)) for end in part.split("-")) for part in DEEPSEEK_LETTERS.split())
DEEPSEEK_HAN = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
QWEN2 = base.LLAMA3.replace("{1,3}", "")
QWEN35 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def split(expression):
    return pre_tokenizers.Split(Regex(expression), "isolated")


BYTES_ALONE = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
KINDS = {
    "sentencepiece": Pieces,
    "gpt2-mpt": byte_level("mpt", GPT2, normal_form=normalizers.NFC()),
    "gpt2-gpt-2": byte_level("gpt-2", GPT2),
    "gpt2-falcon": byte_level("falcon", pre_tokenizers.Punctuation("contiguous"), GPT2, pre_tokenizers.Digits(False),
                              pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")),
    "gpt2-llama-bpe": byte_level("llama-bpe", split(base.LLAMA3), BYTES_ALONE, ignore_merges=True),
    "gpt2-tekken": byte_level("tekken", split(base.TEKKEN), BYTES_ALONE, ignore_merges=True),
    "gpt2-refact": byte_level("refact", pre_tokenizers.Digits(True), GPT2),
    "gpt2-qwen2": byte_level("qwen2", split(QWEN2), BYTES_ALONE, normal_form=normalizers.NFC()),
    "gpt2-qwen35": byte_level("qwen35", split(QWEN35), BYTES_ALONE, normal_form=normalizers.NFC()),
    "gpt2-dbrx": byte_level("dbrx", split(base.LLAMA3), BYTES_ALONE),
    "gpt2-deepseek-llm": byte_level("deepseek-llm", split("[\r\n]"), split(rf"\s?[{DEEPSEEK_CLASS}]+"),
                                    split("\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+"), split(r"\s+$"), split(DEEPSEEK_HAN),
                                    pre_tokenizers.Digits(True), BYTES_ALONE),
    "gpt2-deepseek-coder": byte_level("deepseek-coder", split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split(DEEPSEEK_HAN),
                                      pre_tokenizers.Digits(True), BYTES_ALONE),
}

if __name__ == "__main__":
    versions = f"sentencepiece {sentencepiece.__version__}, tokenizers {tokenizers.__version__}, gguf arrays"
    sys.exit(base.main(KINDS, __doc__, versions))
