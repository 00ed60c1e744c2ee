// SPDX-License-Identifier: Apache-2.0
#include "kernels/exact/sample_math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <utility>

namespace statelib::kernels::exact {
namespace {

using Words4 = std::array<uint32_t, 4>;
using Words2 = std::array<uint32_t, 2>;

// tests/kat_vectors of Random123 1.14.0, the lines of philox4x32 with 10 rounds.
TEST(Philox, GivesThePublishedAnswers) {
  EXPECT_EQ(Philox4x32({}, {}), (Words4{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(Philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words4{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32(Words4{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                       Words2{0xa4093822, 0x299f31d0}),
            (Words4{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, ARandomNumberBelongsToEveryBitOfItsSeedAndItsPosition) {
  EXPECT_EQ(RandomBits(0, 0), 0xe169c58d6627e8d5);
  for (int bit = 0; bit < 64; ++bit) {
    EXPECT_NE(RandomBits(uint64_t{1} << bit, 0), RandomBits(0, 0)) << bit;
    EXPECT_NE(RandomBits(0, uint64_t{1} << bit), RandomBits(0, 0)) << bit;
    EXPECT_NE(RandomBits(0, uint64_t{1} << bit), RandomBits(uint64_t{1} << bit, 0)) << bit;
  }
}

TEST(SampleMath, AProductHasAll128Bits) {
  __extension__ using Wide = unsigned __int128;
  std::mt19937_64 random(1);
  for (int i = 0; i < 10000; ++i) {
    const uint64_t a = i == 0 ? ~uint64_t{0} : random() >> random() % 64,
                   b = i == 0 ? ~uint64_t{0} : random() >> random() % 64;
    const Product product = Multiply(a, b);
    ASSERT_EQ(Wide{product.high} << 64 | product.low, Wide{a} * b) << a << ' ' << b;
  }
}

// On all 2.9e8 floats of [-27, -1e-9] it was seen to hold; here on those around the smallest weight
// and on some of every part.
TEST(SampleMath, TheWeightNeverFallsWhereTheLogitGrows) {
  std::mt19937 random(2);
  const auto check = [](uint32_t bits) {
    const float lower = std::bit_cast<float>(bits + 1), upper = std::bit_cast<float>(bits);
    ASSERT_LE(Exp(lower), Exp(upper)) << upper;
    ASSERT_LE(Exp(upper), 1.0f);
  };
  const uint32_t vanishing = std::bit_cast<uint32_t>(-0x1.a56efap+4f);
  EXPECT_EQ(WeightOf(Exp(std::bit_cast<float>(vanishing))), 0u);
  EXPECT_EQ(WeightOf(Exp(std::bit_cast<float>(vanishing - 1))), 1u);
  for (uint32_t bits = vanishing - 20000; bits < vanishing + 20000; ++bits) check(bits);
  for (int i = 0; i < 300000; ++i) {
    const auto x = static_cast<float>(random()) * (-27.0f / 0x1p32f);
    check(std::bit_cast<uint32_t>(x - 1e-9f));
  }
}

TEST(SampleMath, EqualLogitsHaveTheFullWeightInfiniteOnesToo) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float x : {0.0f, -3.5f, kInfinity, -kInfinity})
    EXPECT_EQ(WeightOf(RelativeProbability(x, x, 2.0f)), kWeightOne);
  EXPECT_EQ(WeightOf(RelativeProbability(5.0f, kInfinity, 1.0f)), 0u);
  EXPECT_EQ(WeightOf(RelativeProbability(-kInfinity, 5.0f, 1.0f)), 0u);
}

TEST(SampleMath, TheWeightToReachIsRoundedUpAndAtLeastOne) {
  EXPECT_EQ(WeightToReach(1.0, 12345), 12345u);
  EXPECT_EQ(WeightToReach(1.0, uint64_t{1} << 62), uint64_t{1} << 62);
  EXPECT_EQ(WeightToReach(0.5, 12345), 6173u);
  EXPECT_EQ(WeightToReach(0.5, 12346), 6173u);
  EXPECT_EQ(WeightToReach(1e-300, 12345), 1u);
  EXPECT_EQ(WeightToReach(std::nextafter(1.0, 0.0), 12345), 12345u);
}

TEST(SampleMath, TheLeastWeightIsRoundedUp) {
  EXPECT_EQ(LeastWeight(0), 0u);
  EXPECT_EQ(LeastWeight(1e-300), 1u);
  EXPECT_EQ(LeastWeight(0.25), kWeightOne / 4);
  EXPECT_EQ(LeastWeight(1), kWeightOne);
}

TEST(SampleMath, TheDrawnWeightLiesBelowTheTotal) {
  for (uint64_t position = 0; position < 1000; ++position) {
    EXPECT_EQ(WeightToExceed(1, position, 1), 0u);
    EXPECT_LT(WeightToExceed(1, position, 3), 3u);
  }
  EXPECT_EQ(WeightToExceed(9, 4, uint64_t{1} << 32), RandomBits(9, 4) >> 32);
}

TEST(SampleMath, ALogProbabilityIsOfTheShareOfTheWeights) {
  EXPECT_EQ(LogProbability(2.0f, 2.0f, kWeightOne), 0.0);
  EXPECT_NEAR(LogProbability(2.0f, 2.0f, 4 * kWeightOne), std::log(0.25), 1e-15);
  EXPECT_NEAR(LogProbability(-1.0f, 2.0f, 2 * kWeightOne), -3 - std::log(2.0), 1e-15);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(LogProbability(kInfinity, kInfinity, kWeightOne), 0.0);
  EXPECT_EQ(LogProbability(1.0f, kInfinity, kWeightOne), -kInfinity);
}

}  // namespace
}  // namespace statelib::kernels::exact
