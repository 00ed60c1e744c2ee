// SPDX-License-Identifier: Apache-2.0
// The scalar order of the tensor cores, by cases whose results follow from its rule by hand.
// tensor_product_test.cc compares it with a card.
#include "kernels/reference/tensor_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <vector>

namespace statelib::kernels::reference {
namespace {

uint16_t BF16(float exact) { return static_cast<uint16_t>(std::bit_cast<uint32_t>(exact) >> 16); }

/// sum plus sixteen times w * x.
float Step(float sum, float w, float x) {
  const std::vector<uint16_t> all_w(kTensorStep, BF16(w)), all_x(kTensorStep, BF16(x));
  return AddTensorStep(sum, all_w, all_x);
}

/// sum plus w * x.
float One(float sum, float w, float x) {
  const std::vector<uint16_t> one_w{BF16(w)}, one_x{BF16(x)};
  return AddTensorStep(sum, one_w, one_x);
}

TEST(TensorSum, TermsAreCutAtTwentyFiveBitsBehindTheLargest) {
  EXPECT_EQ(Step(1.0f, 0x1p-13f, 0x1p-13f), 1.0f);  // each 2^-26, together 2^-22
  EXPECT_EQ(Step(1.0f, 0x1p-13f, 0x1p-12f), 1.0f + 0x1p-21f);
  EXPECT_EQ(Step(-1.0f, -0x1p-13f, 0x1p-12f), -1.0f - 0x1p-21f);
}

TEST(TensorSum, TheSumIsCutWhenAProductIsTheLargest) {
  EXPECT_EQ(One(0x1p-26f, 1.0f, 1.0f), 1.0f);
  EXPECT_EQ(One(-0x1p-26f, 1.0f, 1.0f), 1.0f);
}

TEST(TensorSum, TheResultIsCutTowardsZero) {
  EXPECT_EQ(One(1.0f, -0x1p-13f, 0x1p-12f), 1.0f - 0x1p-24f);  // to nearest it would be 1
  EXPECT_EQ(One(1.0f, 0x1.8p-12f, 0x1p-12f), 1.0f);            // to nearest 1 + 2^-23
}

TEST(TensorSum, AProductsExponentIsThatOfItsOperands) {
  // 1.5 * 1.5 = 2.25 counts as of exponent 0, so that 2^-25 beside it is kept.
  const std::vector<uint16_t> w{BF16(1.5f), BF16(0x1p-13f), BF16(-1.5f)},
      x{BF16(1.5f), BF16(0x1p-12f), BF16(1.5f)};
  EXPECT_EQ(AddTensorStep(0, w, x), 0x1p-25f);
}

TEST(TensorSum, TheOrderWithinAStepDoesNotMatter) {
  std::mt19937 engine(3);
  std::vector<uint16_t> w(kTensorStep), x(kTensorStep);
  for (int round = 0; round < 200; ++round) {
    for (size_t i = 0; i < kTensorStep; ++i) {
      w[i] = static_cast<uint16_t>((engine() & 0x807f) | (112 + engine() % 31) << 7);
      x[i] = static_cast<uint16_t>((engine() & 0x807f) | (112 + engine() % 31) << 7);
    }
    const float forward = AddTensorStep(0.25f, w, x);
    std::reverse(w.begin(), w.end());
    std::reverse(x.begin(), x.end());
    EXPECT_EQ(AddTensorStep(0.25f, w, x), forward);
  }
}

TEST(TensorSum, ChainsAreAddedRoundedToNearest) {
  // The second chain's sum is 3 * 2^-25: in the first one's accumulator it would be cut.
  std::vector<uint16_t> w(512, 0), x(512, 0);
  w[0] = x[0] = BF16(1.0f);
  w[256] = BF16(0x1.8p-12f);
  x[256] = BF16(0x1p-12f);
  EXPECT_EQ(TensorSum(w, x, 256), 1.0f + 0x1p-23f);
  EXPECT_EQ(TensorSum(w, x, 512), 1.0f);
}

}  // namespace
}  // namespace statelib::kernels::reference
