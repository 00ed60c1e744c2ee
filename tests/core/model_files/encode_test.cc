// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/encode.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/weight_blocks.h"
#include "kernels/weights.h"
#include "tests/core/model_files/expect_error.h"

namespace statelib::model_files {
namespace {

uint16_t HalfOf(ElementType type, float value) {
  return LoadLittle<uint16_t>(Encode(type, std::vector<float>{value}, "t").data());
}

TEST(Encode, EveryHalfComesBackAsItself) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float f16 = kernels::FloatFromF16(half), bf16 = kernels::FloatFromBF16(half);
    if (!std::isnan(f16)) {
      ASSERT_EQ(HalfOf(ElementType::kF16, f16), half) << bits;
    }
    if (!std::isnan(bf16)) {
      ASSERT_EQ(HalfOf(ElementType::kBF16, bf16), half) << bits;
    }
  }
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(kernels::FloatFromF16(HalfOf(ElementType::kF16, nan))));
  EXPECT_TRUE(std::isnan(kernels::FloatFromBF16(HalfOf(ElementType::kBF16, nan))));
}

TEST(Encode, HalfWayValuesGoToTheEvenNeighbour) {
  // 1 + 2^-11 lies between 0x3c00 and 0x3c01; 1 + 3 * 2^-11 between 0x3c01 and 0x3c02.
  EXPECT_EQ(HalfOf(ElementType::kF16, 1 + std::ldexp(1.0f, -11)), 0x3c00);
  EXPECT_EQ(HalfOf(ElementType::kF16, 1 + std::ldexp(3.0f, -11)), 0x3c02);
  EXPECT_EQ(HalfOf(ElementType::kF16, std::ldexp(1.0f, -25)), 0x0000);
  EXPECT_EQ(HalfOf(ElementType::kF16, std::ldexp(3.0f, -25)), 0x0002);
  EXPECT_EQ(HalfOf(ElementType::kBF16, 1 + std::ldexp(1.0f, -8)), 0x3f80);
  EXPECT_EQ(HalfOf(ElementType::kBF16, 1 + std::ldexp(3.0f, -8)), 0x3f82);
}

TEST(Encode, AValueBeyondTheTypeIsRefused) {
  EXPECT_EQ(HalfOf(ElementType::kF16, 65519.0f), 0x7bff);
  ExpectError(ErrorKind::kUnsupported, {"t: expected values that F16 can hold, found 65520"},
              [] { HalfOf(ElementType::kF16, 65520.0f); });
  std::vector<float> values(32, 1.0f);
  values[7] = std::numeric_limits<float>::infinity();
  ExpectError(ErrorKind::kUnsupported, {"Q8_0 can hold"},
              [&] { Encode(ElementType::kQ8_0, values, "t"); });
  values[7] = 1e9f;
  ExpectError(ErrorKind::kUnsupported, {"Q8_0 can hold"},
              [&] { Encode(ElementType::kQ8_0, values, "t"); });
}

TEST(Encode, BlocksOfEightBitsAreAsWorkedOutByHand) {
  // The largest is 127, so d = 1 (F16 0x3c00) and q is the rounded value; ties go away from zero.
  std::vector<float> values(32, 0.0f);
  values[0] = -127;
  values[1] = 2.5f;
  values[2] = -2.5f;
  values[31] = 3.4f;
  const Bytes block = Encode(ElementType::kQ8_0, values, "t");
  ASSERT_EQ(block.size(), 34u);
  EXPECT_EQ(LoadLittle<uint16_t>(block.data()), 0x3c00);
  EXPECT_EQ(LoadLittle<int8_t>(block.data() + 2), -127);
  EXPECT_EQ(LoadLittle<int8_t>(block.data() + 3), 3);
  EXPECT_EQ(LoadLittle<int8_t>(block.data() + 4), -3);
  EXPECT_EQ(LoadLittle<int8_t>(block.data() + 33), 3);
  std::vector<float> back(32);
  kernels::DecodeBlocks(kernels::WeightType::kQ8_0, block, back);
  EXPECT_EQ(back[0], -127.0f);
  EXPECT_EQ(back[1], 3.0f);
}

TEST(Encode, ABlockOfZerosOrAlmostZerosHasNoSteps) {
  for (const float value : {0.0f, 1e-42f}) {
    const Bytes block = Encode(ElementType::kQ8_0, std::vector<float>(32, value), "t");
    for (size_t i = 0; i < 2; ++i) EXPECT_EQ(block[i], std::byte{0});
  }
}

}  // namespace
}  // namespace statelib::model_files
