// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/merging.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>

namespace statelib::tokenizer {
namespace {

// The definition: look at all pairs, merge the one of the lowest rank, the leftmost of equals,
// until none is left.
std::vector<TokenId> MergeByDefinition(const MergeTable& merges, std::vector<TokenId> tokens) {
  while (true) {
    std::optional<size_t> best;
    for (size_t i = 0; i + 1 < tokens.size(); ++i) {
      const Merge* merge = merges.Find(tokens[i], tokens[i + 1]);
      if (merge == nullptr) continue;
      if (!best || merge->rank < merges.Find(tokens[*best], tokens[*best + 1])->rank) best = i;
    }
    if (!best) return tokens;
    tokens[*best] = merges.Find(tokens[*best], tokens[*best + 1])->result;
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(*best) + 1);
  }
}

// Ranks in any order: a merge can make another of a lower rank possible, which trained files never
// do and any file may.
MergeTable RandomMerges(std::mt19937& random, TokenId symbols, TokenId tokens) {
  MergeTable merges(static_cast<size_t>(tokens));
  std::vector<uint32_t> ranks;
  for (TokenId id = symbols; id < tokens; ++id)
    ranks.push_back(static_cast<uint32_t>(ranks.size()));
  std::shuffle(ranks.begin(), ranks.end(), random);
  for (TokenId id = symbols; id < tokens; ++id) {
    std::uniform_int_distribution<TokenId> earlier(0, id - 1);
    const TokenId left = earlier(random);
    const TokenId right = earlier(random);
    if (merges.Find(left, right) != nullptr) continue;
    merges.Set(left, right, {ranks[static_cast<size_t>(id - symbols)], id});
  }
  return merges;
}

TEST(Merging, EqualsTheDefinitionForRandomMergesAndLengths) {
  std::mt19937 random(3);
  for (int round = 0; round < 400; ++round) {
    const TokenId symbols = 1 + round % 4;
    const MergeTable merges = RandomMerges(random, symbols, symbols + 1 + round % 50);
    Merging merging;
    for (const size_t length : {0u, 1u, 2u, 3u, 20u, 48u, 49u, 50u, 200u, 300u}) {
      std::uniform_int_distribution<TokenId> symbol(0, symbols - 1);
      std::vector<TokenId> tokens(length);
      for (TokenId& token : tokens) token = symbol(random);
      const std::vector<TokenId> expected = MergeByDefinition(merges, tokens);
      merging.Run(merges, tokens);
      ASSERT_EQ(tokens, expected) << "round " << round << ", length " << length;
    }
  }
}

TEST(Merging, EqualRanksMergeFromTheLeft) {
  MergeTable merges(1);
  merges.Set(0, 0, {0, 1});
  Merging merging;
  for (const size_t length : {5u, 101u}) {
    std::vector<TokenId> tokens(length, 0);
    std::vector<TokenId> expected(length / 2, 1);
    expected.push_back(0);
    merging.Run(merges, tokens);
    EXPECT_EQ(tokens, expected);
  }
}

// Every merge of the higher rank makes one of the lower rank possible, which then overtakes all
// that wait. Where that costs a pass over those, this takes hours.
TEST(Merging, MergesThatOvertakeAMillionOthersAreFast) {
  enum : TokenId { kA, kB, kC, kAb, kAbc };
  MergeTable merges(2);
  merges.Set(kA, kB, {1, kAb});
  merges.Set(kAb, kC, {0, kAbc});
  std::vector<TokenId> tokens;
  for (int i = 0; i < 1'000'000; ++i) tokens.insert(tokens.end(), {kA, kB, kC});
  Merging merging;
  merging.Run(merges, tokens);
  EXPECT_EQ(tokens, std::vector<TokenId>(1'000'000, kAbc));
}

TEST(MergeTable, ALaterMergeOfTheSameTokensReplacesTheEarlier) {
  MergeTable merges(2);
  merges.Set(1, 2, {0, 3});
  merges.Set(1, 2, {1, 4});
  ASSERT_NE(merges.Find(1, 2), nullptr);
  EXPECT_EQ(merges.Find(1, 2)->result, 4);
  EXPECT_EQ(merges.Find(2, 1), nullptr);
  EXPECT_EQ(merges.ranks(), 2u);
}

}  // namespace
}  // namespace statelib::tokenizer
