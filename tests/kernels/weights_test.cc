// SPDX-License-Identifier: Apache-2.0
#include "kernels/weights.h"

#include <gtest/gtest.h>

#include <cmath>

namespace statelib::kernels {
namespace {

TEST(Weights, HalvesConvertExactly) {
  EXPECT_EQ(FloatFromF16(0x3c00), 1.0f);
  EXPECT_EQ(FloatFromF16(0xc000), -2.0f);
  EXPECT_EQ(FloatFromF16(0x7bff), 65504.0f);
  EXPECT_EQ(FloatFromF16(0x0400), 0x1p-14f);
  EXPECT_EQ(FloatFromF16(0x0001), 0x1p-24f);
  EXPECT_EQ(FloatFromF16(0x83ff), -1023 * 0x1p-24f);
  EXPECT_TRUE(std::signbit(FloatFromF16(0x8000)));
  EXPECT_TRUE(std::isinf(FloatFromF16(0x7c00)));
  EXPECT_TRUE(std::isnan(FloatFromF16(0x7e00)));
}

TEST(Weights, BFloatsAreTheUpperHalfOfAFloat) {
  EXPECT_EQ(FloatFromBF16(0x3f80), 1.0f);
  EXPECT_EQ(FloatFromBF16(0xc049), -3.140625f);
}

TEST(Weights, UnalignedTensorsAreRead) {
  alignas(4) std::byte bytes[9] = {};
  const float value = 1.5f;
  std::memcpy(bytes + 5, &value, 4);
  EXPECT_EQ(LoadWeight(bytes + 1, DType::kF32, 1), 1.5f);
}

}  // namespace
}  // namespace statelib::kernels
