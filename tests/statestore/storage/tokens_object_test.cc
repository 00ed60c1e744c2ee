// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/tokens_object.h"

#include <gtest/gtest.h>

#include <random>

#include "statestore/storage/limits.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/sample_state.h"

namespace statelib::storage {
namespace {

std::vector<TokenId> RandomTokens(size_t count, TokenId vocabulary) {
  std::mt19937 random(5);
  std::uniform_int_distribution<TokenId> any(0, vocabulary - 1);
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens) token = any(random);
  return tokens;
}

TEST(TokensObject, ReadingGivesBackWhatWasWritten) {
  for (const size_t count : {1u, 2u, 100u, kTokensPerChunk}) {
    for (const TokenId vocabulary : {1, 2, 128, 8192, 50280, INT32_MAX}) {
      const auto tokens = RandomTokens(count, vocabulary);
      EXPECT_EQ(DecodeTokens(EncodeTokens(tokens).bytes, "it"), tokens);
    }
  }
  const std::vector<TokenId> edges = {0, 127, 128, 16383, 16384, INT32_MAX};
  EXPECT_EQ(DecodeTokens(EncodeTokens(edges).bytes, "it"), edges);
}

TEST(TokensObject, TakesLessThanTwoBytesForATokenOfASmallVocabulary) {
  const auto tokens = RandomTokens(kTokensPerChunk, 8192);
  EXPECT_LT(EncodeTokens(tokens).bytes.size(), tokens.size() * 2);
}

TEST(TokensObject, CutAtEveryByteOrWithAnyByteFlippedIsRefused) {
  Bytes file = EncodeTokens(RandomTokens(50, 8192)).bytes;
  for (size_t i = 0; i < file.size(); ++i) {
    EXPECT_THROW(DecodeTokens(ByteSpan(file).first(i), "it"), Error) << i;
    file[i] ^= std::byte{4};
    EXPECT_THROW(DecodeTokens(file, "it"), Error) << i;
    file[i] ^= std::byte{4};
  }
}

TEST(TokensObject, NothingTooManyAndNegativeIdsAreRefused) {
  EXPECT_THROW(EncodeTokens({}), Error);
  EXPECT_THROW(EncodeTokens(RandomTokens(kTokensPerChunk + 1, 8)), Error);
  const std::vector<TokenId> negative = {-1};
  EXPECT_THROW(EncodeTokens(negative), Error);
}

TEST(TokensObject, AStateIsNotTakenForTokens) {
  ExpectError(ErrorKind::kCorrupt, "it: expected a tokens object, found a state object",
              [] { DecodeTokens(Encode(SampleState()).bytes, "it"); });
  const std::vector<TokenId> tokens = {1};
  ExpectError(ErrorKind::kCorrupt, "it: expected a state object, found a tokens object",
              [&] { DecodeState(EncodeTokens(tokens).bytes, "it"); });
}

}  // namespace
}  // namespace statelib::storage
