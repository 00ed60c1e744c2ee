// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/tokenizer.h"

#include <numeric>

#include "tests/core/tokenizer/small_tokenizer.h"

namespace statelib::tokenizer {
namespace {

const Tokenizer& Neox() {
  static const std::unique_ptr<Tokenizer> tokenizer = Tokenizer::Load(GptNeoxFile());
  return *tokenizer;
}

TEST(Tokenizer, InvalidUtf8IsReadAsReplacementCharacters) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a\xFFz", "a\uFFFDz"},
      {"\xC3", "\uFFFD"},
      {"\xE2\x82", "\uFFFD"},
      {"\xE2\x82z", "\uFFFDz"},
      {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},
      {"\xC0\xAF", "\uFFFD\uFFFD"},
      {"\xF0\x9F\x98", "\uFFFD"},
      {std::string("a\0b", 3), std::string("a\0b", 3)},
  };
  for (const auto& [bytes, repaired] : cases) {
    EXPECT_EQ(Neox().Encode(bytes), Neox().Encode(repaired));
    EXPECT_EQ(Neox().Decode(Neox().Encode(bytes)), repaired);
  }
}

TEST(Tokenizer, EveryByteValueAloneIsTaken) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    EXPECT_EQ(Neox().Decode(Neox().Encode(text)), byte < 0x80 ? text : "\uFFFD");
  }
}

// Each is one pre-token as long as the text: a quadratic merge would take hours.
TEST(Tokenizer, RunsOfAMillionBytesComeBackWhole) {
  constexpr size_t kBytes = 1'000'000;
  for (const std::string& unit : {std::string("="), std::string("a"), std::string("7"),
                                  std::string("\n"), std::string("\u4f60"), std::string("abc")}) {
    std::string text;
    while (text.size() < kBytes) text += unit;
    const Ids ids = Neox().Encode(text);
    EXPECT_LT(ids.size(), text.size());
    EXPECT_EQ(Neox().Decode(ids), text) << unit;
  }
}

TEST(Tokenizer, RunsOfEqualSignsMergeAsTheRanksSay) {
  // 64 signs are the longest such token; 16,000 are 250 of them.
  const auto longest = Neox().Find(std::string(64, '='));
  ASSERT_TRUE(longest);
  EXPECT_EQ(Neox().Encode(std::string(16'000, '=')), Ids(250, *longest));
}

TEST(Tokenizer, SpacesInRunsAreTheLongestTokensFirst) {
  Ids expected(41666, 50254);  // 24 spaces each: 999,984
  expected.push_back(50262);   // 16
  EXPECT_EQ(Neox().Encode(std::string(1'000'000, ' ')), expected);
}

TEST(Tokenizer, CombiningMarksInARunAreOrderedAndNotLost) {
  std::string given = "a";
  std::string ordered = "a";
  constexpr int kMarks = 100'000;
  for (int i = 0; i < kMarks; ++i) given += "\u0300\u0323";  // above, below
  for (int i = 0; i < kMarks; ++i) ordered += "\u0323";
  for (int i = 0; i < kMarks; ++i) ordered += "\u0300";
  // U+0323 composes with the a; U+0300, blocked by nothing of its class before the second, does not
  // compose with that.
  ordered.replace(0, 3, "\u1ea1");
  EXPECT_EQ(Neox().Decode(Neox().Encode(given)), ordered);
}

TEST(Tokenizer, IdsWithoutATokenDecodeToNothing) {
  EXPECT_EQ(Neox().Decode(Ids{12092, 50277, -1, 1 << 30, 13}), "Hello,");
}

TEST(Tokenizer, SpecialTokensAreLeftOutOnRequest) {
  const Ids ids = Neox().Encode("hi<|endoftext|>you");
  EXPECT_EQ(Neox().Decode(ids), "hi<|endoftext|>you");
  EXPECT_EQ(Neox().Decode(ids, true), "hiyou");
}

TEST(Tokenizer, EveryTokenDecodesToItsBytes) {
  Ids all(Neox().vocabulary_size());
  std::iota(all.begin(), all.end(), 0);
  std::string bytes;
  for (const TokenId id : all) bytes += Neox().BytesOf(id);
  // The tokens in a row are no valid text, so compare what a lossy reading makes of both.
  const std::string decoded = Neox().Decode(all);
  const auto byte_tokens = Neox().Encode(bytes);
  EXPECT_EQ(Neox().Decode(byte_tokens).size(), decoded.size());
}

TEST(Tokenizer, ATextBeyondTheLimitIsRefused) {
  // Nothing is read before the length is checked, so the view needs no memory behind it.
  const std::string_view too_long("", (size_t{1} << 26) + 1);
  EXPECT_EQ(ErrorOf([&] { Neox().Encode(too_long); }),
            "invalid_argument: expected a text of at most 67108864 bytes, found 67108865 bytes; "
            "encode it in parts");
}

TEST(Tokenizer, AMissingFileIsNotFound) {
  EXPECT_EQ(ErrorOf([] { Tokenizer::Load("/no/such/tokenizer.json"); }).substr(0, 10),
            "not_found:");
}

// SentencePiece converted: no pre-tokens, bytes where the vocabulary has no character, a token for
// the beginning of the text.
SmallTokenizer SentencePieceLike() {
  SmallTokenizer small;
  std::string vocab = R"("<unk>":0,"<s>":1,"</s>":2)";
  for (int byte = 0; byte < 256; ++byte)
    vocab += fmt::format(R"(,"<0x{:02X}>":{})", byte, byte + 3);
  vocab += R"(,"▁":259,"h":260,"i":261,"hi":262,"▁hi":263)";
  small.model =
      R"({"type":"BPE","unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,"vocab":{)" +
      vocab + R"(},"merges":[["h","i"],["▁","hi"]]})";
  small.added_tokens =
      R"([{"id":1,"content":"<s>","special":true},{"id":2,"content":"</s>","special":true}])";
  small.normalizer = R"({"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},)"
                     R"({"type":"Replace","pattern":{"String":" "},"content":"▁"}]})";
  small.post_processor =
      R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},)"
      R"({"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[1]}}})";
  small.decoder =
      R"({"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},)"
      R"({"type":"ByteFallback"},{"type":"Fuse"},)"
      R"({"type":"Strip","content":" ","start":1,"stop":0}]})";
  return small;
}

TEST(Tokenizer, SentencePieceStyleFilesAreRead) {
  const auto tokenizer = SentencePieceLike().Build();
  EXPECT_EQ(tokenizer->Encode("hi hi"), (Ids{1, 263, 263}));
  EXPECT_EQ(tokenizer->Encode("hi hi", AddSpecial::kNo), (Ids{263, 263}));
  // U+00E9 is C3 A9.
  EXPECT_EQ(tokenizer->Encode("hi\u00e9"), (Ids{1, 263, 0xC3 + 3, 0xA9 + 3}));
  EXPECT_EQ(tokenizer->Decode(Ids{1, 263, 0xC3 + 3, 0xA9 + 3, 263}, true), "hi\u00e9 hi");
  EXPECT_EQ(tokenizer->BytesOf(0xC3 + 3), "\xC3");
  EXPECT_EQ(tokenizer->BytesOf(263), " hi");
}

TEST(Tokenizer, AddedTokensMustAgreeWithTheVocabulary) {
  SmallTokenizer small;
  small.added_tokens = R"([{"id":7,"content":"ab"}])";
  EXPECT_EQ(
      ErrorOf([&] { small.Build(); }),
      "corrupt: tokenizer.json: added_tokens: expected the id 7 and the token \"ab\" to belong "
      "together in the vocabulary, found the id 2 and the token \"of none\"");
  small.added_tokens = R"([{"id":1,"content":"x"}])";
  EXPECT_EQ(ErrorOf([&] { small.Build(); }).substr(0, 15), "corrupt: tokeni");
  small.added_tokens = R"([{"id":5,"content":"x"},{"id":6,"content":"x"}])";
  EXPECT_EQ(ErrorOf([&] { small.Build(); }),
            "corrupt: tokenizer.json: added_tokens: expected the token \"x\" once, found it twice");
  small.added_tokens = R"([{"id":5,"content":"x"},{"id":5,"content":"y"}])";
  EXPECT_EQ(
      ErrorOf([&] { small.Build(); }),
      "corrupt: tokenizer.json: added_tokens: expected one token for an id, found two with 5");
}

TEST(Tokenizer, GapsBetweenIdsAreFine) {
  SmallTokenizer small;
  small.model = R"({"type":"BPE","vocab":{"a":16777215,"b":5,"ab":70},"merges":["a b"]})";
  const auto tokenizer = small.Build();
  EXPECT_EQ(tokenizer->Encode("abb"), (Ids{70, 5}));
  EXPECT_EQ(tokenizer->vocabulary_size(), size_t{1} << 24);
  EXPECT_EQ(tokenizer->Content(16777215), "a");
  EXPECT_EQ(tokenizer->Content(6), std::nullopt);
  EXPECT_EQ(tokenizer->Content(0), std::nullopt);
}

}  // namespace
}  // namespace statelib::tokenizer
