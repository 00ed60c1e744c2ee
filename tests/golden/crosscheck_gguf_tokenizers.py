#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the tokenizers that statelib builds from GGUF's arrays with their originals on random ones.

    python3 tests/golden/crosscheck_gguf_tokenizers.py [--statelib build/cpu/statelib] [--seed N] [--rounds 2] [--texts 300]
                                                       [--kind KIND] [--keep FOLDER]

The kind `sentencepiece` is GGUF's `llama`: every round trains a BPE model with byte fallback, writes pieces, scores and types into a
GGUF file as llama.cpp's converter does, and compares with PyPI's `sentencepiece`. The kinds of `gpt2` are byte-level
tokenizers of PyPI's `tokenizers` under llama.cpp's names for their splitting. Needs gguf, numpy, sentencepiece and tokenizers.
"""
import io, sys

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


def byte_level(pre, *parts, normal_form=None, **model):
    def build(tokenizer):
        if normal_form:
            tokenizer.normalizer = normal_form
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(list(parts))
    return lambda rng: ByteLevel(rng, pre, build, **model)


GPT2 = pre_tokenizers.ByteLevel(add_prefix_space=False)
BYTES_ALONE = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
KINDS = {
    "sentencepiece": Pieces,
    "gpt2-mpt": byte_level("mpt", GPT2, normal_form=normalizers.NFC()),
    "gpt2-gpt-2": byte_level("gpt-2", GPT2),
    "gpt2-falcon": byte_level("falcon", pre_tokenizers.Punctuation("contiguous"), GPT2, pre_tokenizers.Digits(False),
                              pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")),
    "gpt2-llama-bpe": byte_level("llama-bpe", pre_tokenizers.Split(Regex(base.LLAMA3), "isolated"), BYTES_ALONE, ignore_merges=True),
    "gpt2-tekken": byte_level("tekken", pre_tokenizers.Split(Regex(base.TEKKEN), "isolated"), BYTES_ALONE, ignore_merges=True),
}

if __name__ == "__main__":
    versions = f"sentencepiece {sentencepiece.__version__}, tokenizers {tokenizers.__version__}, gguf arrays"
    sys.exit(base.main(KINDS, __doc__, versions))
