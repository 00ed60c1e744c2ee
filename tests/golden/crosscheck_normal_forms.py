#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares statelib's normal forms with those of PyPI's `tokenizers` over all code points and over pairs with marks.

    python3 tests/golden/crosscheck_normal_forms.py [--statelib build/cpu/statelib]
    python3 tests/golden/crosscheck_normal_forms.py --table

--table prints the ranges of core/tokenizer/newer_characters.cc: the code points that have a part in normal forms by the newest
Unicode tables (PyPI's `unicodedata2`) and none in the published library. Needs tokenizers, and unicodedata2 for --table.
"""
import argparse, itertools, pathlib, sys, tempfile, unicodedata

import tokenizers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

import crosscheck_tokenizers as base

FORMS = {"NFC": normalizers.NFC(), "NFD": normalizers.NFD(), "NFKC": normalizers.NFKC(), "NFKD": normalizers.NFKD()}
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
LOWEST, HIGHEST = "\u0334", "\u0345"  # marks of the classes 1 and 240


def tokenizer_of(form):
    """Every byte a token: what it decodes to is the text in the normal form."""
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}, merges=[]))
    tokenizer.normalizer = FORMS[form]
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def texts():
    """Every code point alone and, in planes that hold characters, where its class shows; pairs that a normal form concerns."""
    for c in map(chr, CODE_POINTS):
        yield c
        if ord(c) < 0x40000 or 0xE0000 <= ord(c) < 0xF0000:
            yield from ("a\u0301" + c + "\u0323", HIGHEST + c + LOWEST)
    marks = [chr(c) for c in CODE_POINTS if unicodedata.combining(chr(c))]
    of_class = list({unicodedata.combining(c): c for c in marks}.values())
    for mark, other in itertools.product(marks, of_class):
        yield from ("a" + mark + other, "a" + other + mark)
    decomposed = [chr(c) for c in CODE_POINTS if unicodedata.decomposition(chr(c))]
    for whole, mark in itertools.product(decomposed, of_class):
        yield whole + mark
    for whole in decomposed:
        parts = unicodedata.normalize("NFD", whole)
        yield from (parts, parts[:1] + LOWEST + parts[1:], parts[:-1] + HIGHEST + parts[-1:])


def compare(program):
    differ = count = 0
    with tempfile.TemporaryDirectory() as folder:
        for form, published in FORMS.items():
            path = pathlib.Path(folder) / f"{form}.json"
            tokenizer_of(form).save(str(path))
            found = set()
            every = (text for text in texts() if "\n" not in text)
            while part := list(itertools.islice(every, 400_000)):
                # Line feeds take no part in normal forms: many texts are one.
                blocks = [part[i : i + 1000] for i in range(0, len(part), 1000)]
                lines = base.run_lines(program, [{"text": "\n".join(block)} for block in blocks], "tokenize", "--lines-json", "--tokenizer",
                                       str(path))
                for block, line in zip(blocks, lines, strict=True):
                    for text, formed in zip(block, line["decoded"].split("\n"), strict=True):
                        if formed != published.normalize_str(text):
                            found.add(text)
                count += len(part)
            print(f"{form:5} {f'{len(found)} DIFFERENT' if found else 'equal'}", flush=True)
            for text in sorted(found)[:5]:
                print("  " + " ".join(f"U+{ord(c):04X}" for c in text))
            differ += len(found)
    print(f"{count} texts, {differ} different")
    return 1 if differ else 0


def unknown_code_points():
    import unicodedata2 as newest
    known = FORMS["NFD"].normalize_str

    def class_is_known(mark):
        return known("a" + HIGHEST + mark) != "a" + HIGHEST + mark or known("a" + mark + LOWEST) != "a" + mark + LOWEST

    unknown = set()
    for c in map(chr, CODE_POINTS):
        if newest.combining(c) and not class_is_known(c):
            unknown.add(c)
        parts = newest.decomposition(c)
        if not parts or FORMS["NFKD"].normalize_str(c) != c:
            continue
        unknown.add(c)
        if not parts.startswith("<"):  # what composes to it came no earlier, but for marks that compose elsewhere
            unknown.update(part for part in (chr(int(p, 16)) for p in parts.split()) if not newest.combining(part))
    return sorted(map(ord, unknown))


def table():
    ranges = []
    for c in unknown_code_points():
        if ranges and ranges[-1][1] == c - 1:
            ranges[-1][1] = c
        else:
            ranges.append([c, c])
    print(", ".join(f"{{0x{first:X}, 0x{last:X}}}" for first, last in ranges))
    return 0


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--statelib", default="build/cpu/statelib")
    arguments.add_argument("--table", action="store_true")
    options = arguments.parse_args()
    print(f"tokenizers {tokenizers.__version__}", file=sys.stderr)
    sys.exit(table() if options.table else compare(options.statelib))
