// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/thinning.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace statelib::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// One document with checkpoints of one byte at every `stride` tokens, and its last state, which
/// has a name. Keys are the numbers of tokens plus `first_key`.
std::vector<ThinningState> Document(uint64_t tokens, uint64_t stride, int64_t first_key = 0) {
  std::vector<ThinningState> states;
  std::optional<int64_t> prefix;
  for (uint64_t at = stride; at <= tokens; at += stride) {
    const int64_t key = first_key + static_cast<int64_t>(at);
    states.push_back({key, prefix, at, 1, at < tokens});
    prefix = key;
  }
  return states;
}

std::vector<int64_t> Left(const std::vector<ThinningState>& states, uint64_t bytes) {
  const auto thinned = ChooseThinned(states, bytes);
  const std::set<int64_t> gone(thinned.begin(), thinned.end());
  std::vector<int64_t> left;
  for (const ThinningState& state : states) {
    if (state.may_go && !gone.contains(state.key)) left.push_back(state.key);
  }
  return left;
}

TEST(Thinning, NothingGoesWithinTheBudget) {
  EXPECT_THAT(ChooseThinned(Document(1000, 100), 9), IsEmpty());
  EXPECT_THAT(ChooseThinned({}, 0), IsEmpty());
}

TEST(Thinning, ExactlySoManyGoThatTheRestFits) {
  for (const uint64_t bytes : {8u, 5u, 1u, 0u})
    EXPECT_EQ(ChooseThinned(Document(1000, 100), bytes).size(), 9 - bytes) << bytes;
}

TEST(Thinning, TheGapsGrowFromTheEndToTheBeginning) {
  const std::vector<int64_t> left = Left(Document(100'000, 1000), 12);
  ASSERT_EQ(left.size(), 12u);
  std::vector<int64_t> gaps = {left[0]};
  for (size_t i = 1; i < left.size(); ++i) gaps.push_back(left[i] - left[i - 1]);
  // From the beginning on each gap is about as large a part of what is left.
  EXPECT_GE(gaps.front(), 20'000) << testing::PrintToString(left);
  EXPECT_LE(gaps.back(), 3'000) << testing::PrintToString(left);
  EXPECT_GE(left.back(), 97'000) << testing::PrintToString(left);
  int growing = 0;
  for (size_t i = 1; i < gaps.size(); ++i) growing += gaps[i - 1] >= gaps[i] ? 1 : 0;
  EXPECT_GE(growing, 8) << testing::PrintToString(gaps);
}

TEST(Thinning, TheNewestOfAnUnfinishedDocumentGoesLast) {
  std::vector<ThinningState> states = Document(1000, 100);
  states.back().may_go = true;  // nothing was computed from it
  EXPECT_THAT(Left(states, 1), ElementsAre(1000));
}

TEST(Thinning, ASmallStateOutlastsALargeOneThatSavesAsMuch) {
  std::vector<ThinningState> states = {{1, {}, 500, 100, true},
                                       {2, 1, 1000, 1, false},
                                       {3, {}, 500, 10, true},
                                       {4, 3, 1000, 1, false}};
  EXPECT_THAT(Left(states, 10), ElementsAre(3));
}

TEST(Thinning, ABranchCountsFromTheLongestStateThatItLeadsTo) {
  // 100 <- 200 (named), 100 <- 10,000 (named): the second makes 100 worth little.
  std::vector<ThinningState> states = {{1, {}, 100, 1, true},
                                       {2, 1, 200, 1, false},
                                       {3, 1, 10'000, 1, false},
                                       {4, {}, 120, 1, true},
                                       {5, 4, 240, 1, false}};
  EXPECT_THAT(Left(states, 1), ElementsAre(4));
}

TEST(Thinning, APrefixThatIsNotThereCountsAsNone) {
  const std::vector<ThinningState> states = {{1, 77, 100, 1, true}, {2, 1, 200, 1, false}};
  EXPECT_THAT(ChooseThinned(states, 0), ElementsAre(1));
}

}  // namespace
}  // namespace statelib::storage
