// SPDX-License-Identifier: Apache-2.0
#include "kernels/exact/fixed_log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <random>

namespace statelib::kernels::exact {
namespace {

TEST(FixedLog, IsTheLogarithmWithinItsBoundAndRoundsToTheNearestFloat) {
  std::mt19937 engine(1);
  double largest = 0;
  for (int i = 0; i < 300'000; ++i) {
    // Every positive float may be drawn, subnormal ones too; each third lies near one.
    const uint32_t bits = static_cast<uint32_t>(i % 3 == 0 ? 0x3f800000 - 2000 + engine() % 4000
                                                           : 1 + engine() % (0x7f800000 - 1));
    const float x = std::bit_cast<float>(bits);
    if (x == 1.0f) continue;
    const long double exact = std::log(static_cast<long double>(x));
    const double ours = FixedLog(x);
    largest = std::max(largest, static_cast<double>(std::fabs((ours - exact) / exact)));
    ASSERT_EQ(static_cast<float>(ours), static_cast<float>(exact)) << x;
  }
  std::printf("largest relative error %.3g\n", largest);
  EXPECT_LT(largest, 4e-16);
  EXPECT_EQ(FixedLog(1.0), 0.0);
}

// A model's converted values are part of its fingerprint: they may never change.
TEST(FixedLog, HasTheseBits) {
  EXPECT_EQ(FixedLog(0.5), -0x1.62e42fefa39efp-1);
  EXPECT_EQ(FixedLog(16.0), 0x1.62e42fefa39efp+1);
}

}  // namespace
}  // namespace statelib::kernels::exact
