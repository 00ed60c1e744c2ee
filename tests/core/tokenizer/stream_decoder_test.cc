// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/stream_decoder.h"

#include <random>

#include "core/base/utf8.h"
#include "tests/core/tokenizer/small_tokenizer.h"

namespace statelib::tokenizer {
namespace {

const Tokenizer& Neox() {
  static const std::unique_ptr<Tokenizer> tokenizer = Tokenizer::Load(GptNeoxFile());
  return *tokenizer;
}

// Streams the ids, checks every part, and returns all of it.
std::string Stream(const Tokenizer& tokenizer, const Ids& ids, bool skip_special = false) {
  StreamDecoder stream(tokenizer, skip_special);
  std::string all;
  const auto take = [&](const std::string& part) {
    EXPECT_EQ(ValidPrefixLength(part), part.size()) << "half a character came out";
    all += part;
  };
  for (const TokenId id : ids) take(stream.Push(id));
  take(stream.Flush());
  return all;
}

TEST(StreamDecoder, HoldsACharacterBackUntilItIsWhole) {
  StreamDecoder stream(Neox());
  EXPECT_EQ(stream.Push(14931), "");  // a space would have come out: F0 9F 98
  EXPECT_EQ(stream.Push(235), "");
  EXPECT_EQ(stream.Push(211), "\U0001f600");
  EXPECT_EQ(stream.Flush(), "");
}

TEST(StreamDecoder, BytesThatCanNeverBeACharacterComeOutAtOnce) {
  StreamDecoder stream(Neox());
  EXPECT_EQ(stream.Push(14931), "");
  EXPECT_EQ(stream.Push(66), "\uFFFDa");
  EXPECT_EQ(stream.Flush(), "");
}

TEST(StreamDecoder, AnUnfinishedCharacterComesOutAtTheEndAndTheStreamBeginsAnew) {
  StreamDecoder stream(Neox());
  EXPECT_EQ(stream.Push(14931), "");
  EXPECT_EQ(stream.Flush(), "\uFFFD");
  EXPECT_EQ(stream.Push(211), "\uFFFD");
  EXPECT_EQ(stream.Push(66), "a");
  EXPECT_EQ(stream.Flush(), "");
}

TEST(StreamDecoder, ASkippedSpecialTokenDoesNotCutACharacter) {
  EXPECT_EQ(Stream(Neox(), {14931, 0, 235, 211}, true), "\U0001f600");
  EXPECT_EQ(Stream(Neox(), {14931, 0, 235, 211}), "\uFFFD<|endoftext|>\uFFFD\uFFFD");
}

TEST(StreamDecoder, EqualsDecodingTheWholeForRandomTokens) {
  std::mt19937 random(7);
  // Single bytes, so that characters are cut and broken everywhere, and any token.
  std::vector<TokenId> bytes;
  for (TokenId id = 0; id < static_cast<TokenId>(Neox().vocabulary_size()); ++id) {
    if (Neox().BytesOf(id).size() == 1) bytes.push_back(id);
  }
  ASSERT_EQ(bytes.size(), 243u);
  std::uniform_int_distribution<TokenId> any(-5, 50300);
  std::uniform_int_distribution<size_t> byte(0, bytes.size() - 1);
  for (int round = 0; round < 500; ++round) {
    Ids ids;
    for (int i = 0; i < 60; ++i)
      ids.push_back((random() & 3U) == 0 ? any(random) : bytes[byte(random)]);
    std::string lossy;
    std::string raw;
    for (const TokenId id : ids) raw += Neox().BytesOf(id);
    AppendLossy(raw, lossy);
    EXPECT_EQ(Stream(Neox(), ids), lossy);
    EXPECT_EQ(Neox().Decode(ids), lossy);
  }
}

TEST(StreamDecoder, EqualsDecodingTheWholeForTextsCutAtEveryByte) {
  const std::string text = "a\u00e9\u4f60\U0001f600 \u0939\u093f z";
  Ids ids;
  for (const char c : text) {
    for (TokenId id = 2; id < 300; ++id) {
      if (Neox().BytesOf(id) == std::string(1, c)) ids.push_back(id);
    }
  }
  ASSERT_EQ(ids.size(), text.size());
  EXPECT_EQ(Stream(Neox(), ids), text);
}

}  // namespace
}  // namespace statelib::tokenizer
