// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/pre_tokenizer.h"

#include "tests/core/tokenizer/small_tokenizer.h"

namespace statelib::tokenizer {
namespace {

using Texts = std::vector<std::string>;

Texts Cut(const std::string& json, const std::string& text, bool at_input_begin = true) {
  const ParsedJson parsed(json);
  const PreTokens tokens = PreTokenizer::FromJson(parsed.root()).Cut(text, at_input_begin);
  Texts pieces;
  for (const Span& piece : tokens.pieces)
    pieces.push_back(tokens.text.substr(piece.begin, piece.end - piece.begin));
  return pieces;
}

Texts Split(const std::string& behavior, const std::string& text, bool invert = false) {
  return Cut(
      fmt::format(R"({{"type":"Split","pattern":{{"String":"-"}},"behavior":"{}","invert":{}}})",
                  behavior, invert),
      text);
}

TEST(Split, EachBehaviorCutsAsItIsNamed) {
  const std::string text = "the-final--countdown";
  EXPECT_EQ(Split("Removed", text), (Texts{"the", "final", "countdown"}));
  EXPECT_EQ(Split("Isolated", text), (Texts{"the", "-", "final", "-", "-", "countdown"}));
  EXPECT_EQ(Split("MergedWithPrevious", text), (Texts{"the-", "final-", "-", "countdown"}));
  EXPECT_EQ(Split("MergedWithNext", text), (Texts{"the", "-final", "-", "-countdown"}));
  EXPECT_EQ(Split("Contiguous", text), (Texts{"the", "-", "final", "--", "countdown"}));
}

TEST(Split, MatchesAtTheEndsHaveNobodyToJoin) {
  EXPECT_EQ(Split("MergedWithPrevious", "-a-"), (Texts{"-", "a-"}));
  EXPECT_EQ(Split("MergedWithNext", "-a-"), (Texts{"-a", "-"}));
  EXPECT_EQ(Split("Removed", "-"), Texts{});
  EXPECT_EQ(Split("Contiguous", "--"), (Texts{"--"}));
  EXPECT_EQ(Split("Isolated", ""), Texts{});
}

TEST(Split, InvertedTheTextBetweenMatchesIsTheMatch) {
  EXPECT_EQ(Split("Removed", "a-b", true), (Texts{"-"}));
  EXPECT_EQ(Split("MergedWithPrevious", "a-b", true), (Texts{"a", "-b"}));
  EXPECT_EQ(Split("MergedWithNext", "a-b", true), (Texts{"a-", "b"}));
}

TEST(Split, AnotherBehaviorIsRefused) {
  EXPECT_EQ(ErrorOf([] { Split("Sideways", ""); }),
            "unsupported: tokenizer.json: behavior: unsupported behavior \"Sideways\"; supported: "
            "Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous");
}

TEST(PreTokenizer, Gpt2sExpressionCutsWordsNumbersAndTheRest) {
  const std::string json = R"({"type":"ByteLevel","add_prefix_space":false})";
  EXPECT_EQ(Cut(json, "it's  I'LL 12345 a\u00b2"),
            (Texts{"it", "'s", " ", " I", "'", "LL", " 12345", " a", "\u00b2"}));
  EXPECT_EQ(Cut(json, "x \n  y"), (Texts{"x", " \n ", " y"}));
  EXPECT_EQ(Cut(json, "x \n"), (Texts{"x", " \n"}));
  EXPECT_EQ(Cut(json, "a\u180eb"), (Texts{"a", "\u180e", "b"}));
  EXPECT_EQ(Cut(json, " 's x'''s"), (Texts{" '", "s", " x", "'''", "s"}));
}

TEST(PreTokenizer, APrefixSpaceIsAddedOnlyWhereNoneIs) {
  const std::string json = R"({"type":"ByteLevel","add_prefix_space":true})";
  EXPECT_EQ(Cut(json, "a b"), (Texts{" a", " b"}));
  EXPECT_EQ(Cut(json, " a"), (Texts{" a"}));
  EXPECT_EQ(Cut(json, "\na"), (Texts{" ", "\n", "a"}));
}

TEST(PreTokenizer, ByteLevelAsTheLastStepLeavesBytes) {
  const ParsedJson last(R"({"type":"ByteLevel","use_regex":false,"add_prefix_space":false})");
  EXPECT_TRUE(PreTokenizer::FromJson(last.root()).leaves_bytes());
  EXPECT_FALSE(PreTokenizer::FromJson(std::nullopt).leaves_bytes());
  // Another step behind it sees the byte alphabet's characters: B2 looks like a digit there.
  const std::string inner =
      R"({"type":"Sequence","pretokenizers":[{"type":"ByteLevel","use_regex":false,)"
      R"("add_prefix_space":false},{"type":"Digits","individual_digits":true}]})";
  const ParsedJson parsed(inner);
  EXPECT_FALSE(PreTokenizer::FromJson(parsed.root()).leaves_bytes());
  EXPECT_EQ(Cut(inner, "a \u00f2"), (Texts{"a\u0120\u00c3", "\u00b2"}));
}

TEST(PreTokenizer, DigitsAreCutOffOneByOneOrTogether) {
  EXPECT_EQ(Cut(R"({"type":"Digits","individual_digits":true})", "a12\u0663b"),
            (Texts{"a", "1", "2", "\u0663", "b"}));
  EXPECT_EQ(Cut(R"({"type":"Digits","individual_digits":false})", "a12\u0663b"),
            (Texts{"a", "12\u0663", "b"}));
}

TEST(PreTokenizer, PunctuationIsAsciisAndUnicodes) {
  EXPECT_EQ(Cut(R"({"type":"Punctuation","behavior":"Contiguous"})", "a$+b\u00bf!c\u20ac"),
            (Texts{"a", "$+", "b", "\u00bf!", "c\u20ac"}));
  EXPECT_EQ(Cut(R"({"type":"Punctuation"})", "a..b"), (Texts{"a", ".", ".", "b"}));
}

TEST(PreTokenizer, FalconsSequenceCutsStepByStep) {
  const std::string json =
      R"({"type":"Sequence","pretokenizers":[{"type":"Punctuation","behavior":"Contiguous"},)"
      R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":true},)"
      R"({"type":"Digits","individual_digits":false},)"
      R"({"type":"Split","pattern":{"Regex":"[0-9][0-9][0-9]"},"behavior":"Isolated","invert":false}]})";
  EXPECT_EQ(Cut(json, "Hi, it's 12345!!"),
            (Texts{"Hi", ",", "\u0120it", "'", "s", "\u0120", "123", "45", "!!"}));
}

TEST(PreTokenizer, MetaspaceMarksSpacesAndBeginnings) {
  const auto metaspace = [](const std::string& scheme, bool split) {
    return fmt::format(
        R"({{"type":"Metaspace","replacement":"▁","prepend_scheme":"{}","split":{}}})", scheme,
        split);
  };
  EXPECT_EQ(Cut(metaspace("always", true), "a  b"), (Texts{"▁a", "▁", "▁b"}));
  EXPECT_EQ(Cut(metaspace("always", false), "a b"), (Texts{"▁a▁b"}));
  EXPECT_EQ(Cut(metaspace("always", true), " a"), (Texts{"▁a"}));
  EXPECT_EQ(Cut(metaspace("first", true), "a b", true), (Texts{"▁a", "▁b"}));
  EXPECT_EQ(Cut(metaspace("first", true), "a b", false), (Texts{"a", "▁b"}));
  EXPECT_EQ(Cut(metaspace("never", true), "a b"), (Texts{"a", "▁b"}));
  EXPECT_EQ(Cut(R"({"type":"Metaspace","replacement":"▁","add_prefix_space":false})", "a"),
            (Texts{"a"}));
}

TEST(PreTokenizer, TheBeginningOfTheInputIsLostWithWhatStoodThere) {
  const std::string json =
      R"({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"String":"-"},)"
      R"("behavior":"Removed"},{"type":"Metaspace","replacement":"_","prepend_scheme":"first"}]})";
  EXPECT_EQ(Cut(json, "a-b"), (Texts{"_a", "b"}));
  EXPECT_EQ(Cut(json, "-a-b"), (Texts{"a", "b"}));
}

TEST(PreTokenizer, UnknownTypesAndSchemesAreRefusedByName) {
  EXPECT_EQ(ErrorOf([] { Cut(R"({"type":"BertPreTokenizer"})", ""); }),
            "unsupported: tokenizer.json: unsupported type \"BertPreTokenizer\"; supported: "
            "ByteLevel, Digits, Metaspace, Punctuation, Sequence, Split");
  EXPECT_EQ(
      ErrorOf([] { Cut(R"({"type":"Metaspace","replacement":"_","prepend_scheme":"last"})", ""); }),
      "unsupported: tokenizer.json: unsupported prepend_scheme \"last\"; supported: always, "
      "first, never");
  std::string many = R"({"type":"Digits"})";
  for (int i = 0; i < 64; ++i) many += R"(,{"type":"Digits"})";
  EXPECT_EQ(
      ErrorOf([&] { Cut(R"({"type":"Sequence","pretokenizers":[)" + many + "]}", ""); }),
      "unsupported: tokenizer.json: pretokenizers[64]: expected at most 64 steps, found more");
}

}  // namespace
}  // namespace statelib::tokenizer
