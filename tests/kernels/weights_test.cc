// SPDX-License-Identifier: Apache-2.0
#include "kernels/weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

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

TEST(Weights, HalvesRoundToTheNearestAndComeBack) {
  for (uint32_t bits = 0; bits < 0x7c00; ++bits)
    ASSERT_EQ(F16FromFloat(FloatFromF16(static_cast<uint16_t>(bits))), bits);
  EXPECT_EQ(F16FromFloat(1.0f + 0x1p-11f), 0x3c00);  // a tie goes to the even one
  EXPECT_EQ(F16FromFloat(1.0f + 3 * 0x1p-11f), 0x3c02);
  EXPECT_EQ(F16FromFloat(-0x1.8p-25f), 0x8001);
  EXPECT_EQ(F16FromFloat(1e9f), 0x7bff);
}

TEST(Weights, BFloatsRoundToTheNearestAndLoseSubnormals) {
  EXPECT_EQ(BF16FromFloat(1.0f + 0x1p-8f), 0x3f80);
  EXPECT_EQ(BF16FromFloat(1.0f + 3 * 0x1p-8f), 0x3f82);
  EXPECT_EQ(BF16FromFloat(-1e-39f), 0x8000);
  EXPECT_EQ(BF16FromFloat(std::numeric_limits<float>::infinity()), 0x7f80);
  EXPECT_TRUE(std::isnan(FloatFromBF16(BF16FromFloat(std::bit_cast<float>(0x7f800001)))));
}

TEST(Weights, UnalignedTensorsAreRead) {
  alignas(4) std::byte bytes[9] = {};
  const float value = 1.5f;
  std::memcpy(bytes + 5, &value, 4);
  EXPECT_EQ(LoadWeight(bytes + 1, WeightType::kF32, 1), 1.5f);
}

}  // namespace
}  // namespace statelib::kernels
