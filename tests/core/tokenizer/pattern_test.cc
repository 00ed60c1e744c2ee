// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/pattern.h"

#include "core/tokenizer/pattern_dialect.h"
#include "tests/core/tokenizer/small_tokenizer.h"

namespace statelib::tokenizer {
namespace {

std::vector<std::string> Matches(const Pattern& pattern, std::string_view text) {
  std::vector<std::string> found;
  PatternSearch search(pattern);
  search.Start(text);
  for (Span match; search.Next(match);)
    found.emplace_back(text.substr(match.begin, match.end - match.begin));
  return found;
}

std::vector<std::string> Matches(std::string_view expression, std::string_view text) {
  return Matches(Pattern::Expression(expression, "here"), text);
}

using Texts = std::vector<std::string>;

TEST(Pattern, FindsMatchesFromLeftToRight) {
  EXPECT_EQ(Matches("a|ab", "abcab"), (Texts{"a", "a"}));
  EXPECT_EQ(Matches(R"(\p{L}+)", "ab1\u00e9\u4f60"), (Texts{"ab", "\u00e9\u4f60"}));
  EXPECT_EQ(Matches(R"(\d{1,3})", "12345"), (Texts{"123", "45"}));
  EXPECT_EQ(Matches("a", ""), Texts{});
}

TEST(Pattern, AnEmptyMatchBehindAMatchIsNone) {
  EXPECT_EQ(Matches("a*", "baac"), (Texts{"", "aa", ""}));
  EXPECT_EQ(Matches("x|", "\u00e9x"), (Texts{"", "x"}));
}

TEST(Pattern, WhiteSpaceIsUnicodesList) {
  EXPECT_EQ(Matches(R"(\s)", "\u180e"), Texts{});
  EXPECT_EQ(Matches(R"([\s])", "\u180e\u200b\u0085"), (Texts{"\u0085"}));
  EXPECT_EQ(Matches(R"(\S+)", "a\u180e b"), (Texts{"a\u180e", "b"}));
  EXPECT_EQ(Matches(R"([\S]+)", "a\u180e\u3000b"), (Texts{"a\u180e", "b"}));
  EXPECT_EQ(Matches(R"([^\S\n]+)", " \n\u2003"), (Texts{" ", "\u2003"}));
  EXPECT_EQ(Matches(R"([^\s\p{L}]+)", "a1 2"), (Texts{"1", "2"}));
}

TEST(Pattern, WordCharactersHaveMarksAndConnectors) {
  EXPECT_EQ(Matches(R"(\w+)", "e\u0301_\u203f1 -"), (Texts{"e\u0301_\u203f1"}));
  EXPECT_EQ(Matches(R"(\w)", "\u00b2"), (Texts{"\u00b2"}));
  EXPECT_EQ(Matches(R"([\w])", "\u00b2"), Texts{});
  EXPECT_EQ(Matches(R"(\W)", "a.\u0301"), (Texts{"."}));
}

TEST(Pattern, LinesEndAtEveryLineFeed) {
  EXPECT_EQ(Matches("^a|b$", "a\na b\nb"), (Texts{"a", "a", "b", "b"}));
  EXPECT_EQ(Matches(".", "a\nb"), (Texts{"a", "b"}));
}

TEST(Pattern, ALiteralIsNoExpression) {
  EXPECT_EQ(Matches(Pattern::Literal(".*"), "a.*b"), (Texts{".*"}));
  EXPECT_EQ(Matches(Pattern::Literal("\\E"), "\\E"), (Texts{"\\E"}));
}

TEST(Pattern, BracketsInClassesAreReadAsTheyStand) {
  EXPECT_EQ(Matches(R"([]a]+)", "a]b"), (Texts{"a]"}));
  EXPECT_EQ(Matches(R"([^]a]+)", "a]b"), (Texts{"b"}));
  EXPECT_EQ(Matches(R"([[:alpha:]-]+)", "a-1"), (Texts{"a-"}));
  EXPECT_EQ(Matches(R"([\]\s]+)", "a] "), (Texts{"] "}));
}

TEST(Pattern, WhatTheDialectsReadDifferentlyIsRefused) {
  for (const std::string construct : {R"(\h)", R"(\v)", R"(\b)", R"(\R)", R"(\Q)", R"(\K)"}) {
    EXPECT_EQ(ErrorOf([&] { Pattern::Expression("a" + construct, "here"); }),
              "unsupported: here: the regular expression \"a" + construct + "\" uses " + construct +
                  ", which this build cannot read exactly");
  }
  for (const std::string expression : {"[a&&b]", "[a[b]]", R"([\W])", "(*FAIL)", "(?m:.)"}) {
    EXPECT_EQ(ErrorOf([&] { Pattern::Expression(expression, "here"); }).substr(0, 12),
              "unsupported:")
        << expression;
  }
  EXPECT_EQ(ErrorOf([] { Pattern::Expression(R"(\p{NoSuchThing})", "here"); }).substr(0, 12),
            "unsupported:");
}

TEST(Pattern, ABrokenExpressionIsNamed) {
  EXPECT_EQ(
      ErrorOf([] { Pattern::Expression("a(b", "here"); }),
      "corrupt: here: expected a regular expression, found \"a(b\": missing closing parenthesis "
      "(at byte 3)");
  EXPECT_EQ(ErrorOf([] { Pattern::Expression(std::string(70'000, 'a'), "here"); }),
            "unsupported: here: expected a regular expression of at most 65536 bytes, found 70000 "
            "bytes");
  const ParsedJson json(R"({"Glob":"*"})");
  EXPECT_EQ(ErrorOf([&] { Pattern::FromJson(json.root()); }),
            "corrupt: tokenizer.json: expected a member \"Regex\" or \"String\", found neither");
  const ParsedJson empty(R"({"String":""})");
  EXPECT_EQ(ErrorOf([&] { Pattern::FromJson(empty.root()); }),
            "unsupported: tokenizer.json: String: expected a text to look for, found an empty one");
}

TEST(Pattern, AnExponentialExpressionEnds) {
  const std::string text = std::string(60, 'a') + "bc";
  const Pattern pattern = Pattern::Expression("(?:a|aa)*c", "here");
  EXPECT_EQ(
      ErrorOf([&] { Matches(pattern, text); }),
      "unsupported: the regular expression \"(?:a|aa)*c\" cannot be searched for in a text of "
      "62 bytes: match limit exceeded");
}

// Groups that repeat need more stack than the compiled code has; the interpreter takes over.
TEST(Pattern, ALongRunOfGroupsIsFound) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "ab";
  EXPECT_EQ(Matches("(?:(a)|(b))+", text), (Texts{text}));
}

}  // namespace
}  // namespace statelib::tokenizer
