// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/added_tokens.h"

#include "tests/core/tokenizer/small_tokenizer.h"

namespace statelib::tokenizer {
namespace {

// Parts as text, tokens in angle brackets: "a<7: x >b".
std::string Split(const std::vector<AddedToken>& tokens, std::string_view text,
                  bool normalized = false) {
  const auto nothing = Normalizer::FromJson(std::nullopt);
  std::string shown;
  for (const auto& part : AddedTokenMatcher(tokens, normalized, *nothing).Split(text)) {
    const std::string_view span = text.substr(part.span.begin, part.span.end - part.span.begin);
    shown += part.token ? fmt::format("<{}:{}>", *part.token, span) : std::string(span);
  }
  return shown;
}

AddedToken Plain(TokenId id, std::string content) {
  AddedToken token;
  token.id = id;
  token.content = std::move(content);
  return token;
}

TEST(AddedTokens, TheLeftmostAndThenTheLongestIsTaken) {
  const std::vector<AddedToken> tokens = {Plain(1, "ab"), Plain(2, "abcd"), Plain(3, "bc"),
                                          Plain(4, "c")};
  EXPECT_EQ(Split(tokens, "abcd"), "<2:abcd>");
  EXPECT_EQ(Split(tokens, "abce"), "<1:ab><4:c>e");
  EXPECT_EQ(Split(tokens, "xbcd"), "x<3:bc>d");
  EXPECT_EQ(Split(tokens, "abc"), "<1:ab><4:c>");
  EXPECT_EQ(Split(tokens, ""), "");
  EXPECT_EQ(Split({}, "abc"), "abc");
}

TEST(AddedTokens, ASingleWordStandsAlone) {
  AddedToken word = Plain(1, "it");
  word.single_word = true;
  EXPECT_EQ(Split({word}, "it was bit, it!it"), "<1:it> was bit, <1:it>!<1:it>");
  EXPECT_EQ(Split({word}, "\u00e9it it_ \u4f60it it\u3002"), "\u00e9it it_ \u4f60it <1:it>\u3002");
}

TEST(AddedTokens, StrippingTokensTakeWhiteSpaceAlong) {
  AddedToken left = Plain(1, "<l>");
  left.lstrip = true;
  AddedToken right = Plain(2, "<r>");
  right.rstrip = true;
  EXPECT_EQ(Split({left, right}, "a \u3000<l> b"), "a<1: \u3000<l>> b");
  EXPECT_EQ(Split({left, right}, "a <r>\n\tb"), "a <2:<r>\n\t>b");
  EXPECT_EQ(Split({left, right}, "<r>  <l>"), "<2:<r>  ><1:<l>>");
  EXPECT_EQ(Split({left, right}, " <l>"), "<1: <l>>");
  EXPECT_EQ(Split({left, right}, "<r> "), "<2:<r> >");
}

TEST(AddedTokens, OnlyThoseOfTheAskedKindAreLookedFor) {
  AddedToken late = Plain(2, "b");
  late.normalized = true;
  EXPECT_EQ(Split({Plain(1, "a"), late}, "ab", false), "<1:a>b");
  EXPECT_EQ(Split({Plain(1, "a"), late}, "ab", true), "a<2:b>");
}

TEST(AddedTokens, NormalizedContentsAreFoundInNormalizedText) {
  SmallTokenizer small;
  small.normalizer = R"({"type":"NFC"})";
  small.added_tokens =
      R"([{"id":7,"content":"e\u0301","normalized":true},{"id":8,"content":"o\u0301","normalized":false}])";
  small.model = R"({"type":"BPE","unk_token":"u","vocab":{"u":0},"merges":[]})";
  const auto tokenizer = small.Build();
  EXPECT_EQ(tokenizer->Encode("\u00e9e\u0301"), (Ids{7, 7}));
  EXPECT_EQ(tokenizer->Encode("\u00f3o\u0301"), (Ids{0, 8}));
}

TEST(AddedTokens, OfContentsThatBecomeTheSameTheSpecialOneIsFound) {
  SmallTokenizer small;
  small.normalizer = R"({"type":"NFC"})";
  small.added_tokens = R"([{"id":7,"content":"e\u0301","normalized":true},)"
                       R"({"id":8,"content":"\u00e9","normalized":true,"special":true}])";
  EXPECT_EQ(small.Build()->Encode("\u00e9"), (Ids{8}));
}

TEST(AddedTokens, TheFileSaysHowEachIsFound) {
  const ParsedJson json(
      R"([{"id":3,"content":"x","single_word":true,"lstrip":true,"rstrip":true,"normalized":true,)"
      R"("special":true},{"id":4,"content":""},{"id":5,"content":"y"}])");
  const std::vector<AddedToken> tokens = ReadAddedTokens(json.root());
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_EQ(tokens[0].id, 3);
  EXPECT_TRUE(tokens[0].single_word && tokens[0].lstrip && tokens[0].rstrip &&
              tokens[0].normalized && tokens[0].special);
  EXPECT_EQ(tokens[1].content, "y");
  EXPECT_FALSE(tokens[1].single_word || tokens[1].lstrip || tokens[1].rstrip || tokens[1].special);
}

TEST(AddedTokens, AContentBeyondTheLimitIsRefused) {
  const ParsedJson json(fmt::format(R"([{{"id":3,"content":"{}"}}])", std::string(4097, 'x')));
  EXPECT_EQ(ErrorOf([&] { ReadAddedTokens(json.root()); }),
            "unsupported: tokenizer.json: [0].content: expected at most 4096 bytes, found 4097");
}

}  // namespace
}  // namespace statelib::tokenizer
