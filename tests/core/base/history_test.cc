// SPDX-License-Identifier: Apache-2.0
#include "core/base/history.h"

#include <gtest/gtest.h>

#include <array>

namespace statelib {
namespace {

TEST(History, IsTheSameHoweverTheTokensWereCut) {
  const std::array<TokenId, 5> tokens = {7, 0, 8191, 7, 3};
  History whole;
  whole.Append(tokens);
  for (size_t cut = 0; cut <= tokens.size(); ++cut) {
    History parts;
    parts.Append(std::span(tokens).first(cut));
    parts.Append(std::span(tokens).subspan(cut));
    EXPECT_EQ(parts, whole) << "cut at " << cut;
  }
}

TEST(History, AnotherOrderIsAnotherHistory) {
  History forward, backward;
  forward.Append(std::array<TokenId, 2>{1, 2});
  backward.Append(std::array<TokenId, 2>{2, 1});
  EXPECT_EQ(forward.token_count(), backward.token_count());
  EXPECT_NE(forward.chain(), backward.chain());
}

TEST(History, GoesOnFromItsStoredForm) {
  History original, expected;
  original.Append(std::array<TokenId, 2>{1, 2});
  expected.Append(std::array<TokenId, 3>{1, 2, 3});
  History restored(original.token_count(), original.chain());
  restored.Append(std::array<TokenId, 1>{3});
  EXPECT_EQ(restored, expected);
}

}  // namespace
}  // namespace statelib
