// SPDX-License-Identifier: Apache-2.0
#include "kernels/weight_blocks.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

// The expected values follow from the layouts by hand: d = 0.5 (half 0x3800), dmin = 0.25 (0x3400).

namespace statelib::kernels {
namespace {

const std::string kHalf("\x00\x38", 2);     // 0.5
const std::string kQuarter("\x00\x34", 2);  // 0.25

std::vector<float> Decoded(WeightType type, const std::string& blocks) {
  const WeightTypeInfo info = InfoOf(type);
  std::vector<float> values(blocks.size() / info.block_bytes * info.block_elements, -999.0f);
  DecodeBlocks(type, std::as_bytes(std::span(blocks)), values);
  return values;
}

TEST(WeightBlocks, Q8_0ScalesSignedBytes) {
  std::string block = kHalf;
  for (int i = 0; i < 32; ++i) block += static_cast<char>(i * 8 - 128);
  const std::vector<float> values = Decoded(WeightType::kQ8_0, block);
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(values[static_cast<size_t>(i)], 0.5f * static_cast<float>(i * 8 - 128));
  }
}

TEST(WeightBlocks, Q4_0KeepsTheLowNibblesInTheFirstHalf) {
  std::string block = kHalf;
  // Byte j: low nibble j, high nibble 15 - j.
  for (int j = 0; j < 16; ++j) block += static_cast<char>(j | (15 - j) << 4);
  const std::vector<float> values = Decoded(WeightType::kQ4_0, block);
  for (int j = 0; j < 16; ++j) {
    EXPECT_EQ(values[static_cast<size_t>(j)], 0.5f * static_cast<float>(j - 8));
    EXPECT_EQ(values[static_cast<size_t>(j) + 16], 0.5f * static_cast<float>(7 - j));
  }
}

// Nibbles as above; the fifth bits of the even values are set.
std::string FifthBitsAndNibbles() {
  std::string bytes(4, '\x55');
  for (int j = 0; j < 16; ++j) bytes += static_cast<char>(j | (15 - j) << 4);
  return bytes;
}
int FiveBits(int i) { return (i < 16 ? i : 31 - i) + (i % 2 == 0 ? 16 : 0); }

TEST(WeightBlocks, Q5_0AddsAFifthBitOfItsOwnWord) {
  const auto values = Decoded(WeightType::kQ5_0, kHalf + FifthBitsAndNibbles());
  for (int i = 0; i < 32; ++i)
    EXPECT_EQ(values[static_cast<size_t>(i)], 0.5f * static_cast<float>(FiveBits(i) - 16));
}

// m is 1.5, a half of 0x3e00.
TEST(WeightBlocks, Q4_1AndQ5_1AddAHalfToUnsignedCodes) {
  const std::string m = std::string("\x00\x3e", 2);
  const auto four = Decoded(WeightType::kQ4_1, kHalf + m + FifthBitsAndNibbles().substr(4));
  const auto five = Decoded(WeightType::kQ5_1, kHalf + m + FifthBitsAndNibbles());
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(four[static_cast<size_t>(i)], 0.5f * static_cast<float>(FiveBits(i) % 16) + 1.5f);
    EXPECT_EQ(five[static_cast<size_t>(i)], 0.5f * static_cast<float>(FiveBits(i)) + 1.5f);
  }
}

// Scales 1, 2, 3, 4, 37, 38, 39, 40 and minima 5, 6, 7, 8, 57, 58, 59, 60. The low four of the last
// ones lie in the nibbles of bytes 8-11, their two high bits (2 of 0b100101, 3 of 0b111001) at the
// top of bytes 0-3 and 4-7.
std::string SixBitScales() {
  std::string bytes;
  for (const int value : {1 | 2 << 6, 2 | 2 << 6, 3 | 2 << 6, 4 | 2 << 6,        // 0-3
                          5 | 3 << 6, 6 | 3 << 6, 7 | 3 << 6, 8 | 3 << 6,        // 4-7
                          5 | 9 << 4, 6 | 10 << 4, 7 | 11 << 4, 8 | 12 << 4}) {  // 8-11
    bytes += static_cast<char>(value);
  }
  return bytes;
}
constexpr float kScales[8] = {1, 2, 3, 4, 37, 38, 39, 40};
constexpr float kMinima[8] = {5, 6, 7, 8, 57, 58, 59, 60};

TEST(WeightBlocks, Q4_KUnpacksScalesMinimaAndNibbles) {
  std::string block = kHalf + kQuarter + SixBitScales();
  // Group g, byte l: low nibble (l + g) % 16, high nibble (l + 2 g + 3) % 16.
  for (int g = 0; g < 4; ++g) {
    for (int l = 0; l < 32; ++l) {
      block += static_cast<char>((l + g) % 16 | (l + 2 * g + 3) % 16 << 4);
    }
  }
  ASSERT_EQ(block.size(), 144u);
  const std::vector<float> values = Decoded(WeightType::kQ4_K, block);
  for (size_t i = 0; i < 256; ++i) {
    const size_t sub = i / 32, g = i / 64, l = i % 32;
    const auto q = static_cast<float>(sub % 2 == 0 ? (l + g) % 16 : (l + 2 * g + 3) % 16);
    EXPECT_EQ(values[i], 0.5f * kScales[sub] * q - 0.25f * kMinima[sub]) << i;
  }
}

TEST(WeightBlocks, Q5_KAddsTheFifthBits) {
  std::string block = kHalf + kQuarter + SixBitScales();
  for (int l = 0; l < 32; ++l) block += static_cast<char>(l * 37 % 256);
  for (int g = 0; g < 4; ++g) {
    for (int l = 0; l < 32; ++l) block += static_cast<char>((l + g) % 16 | (l + 3) % 16 << 4);
  }
  ASSERT_EQ(block.size(), 176u);
  const std::vector<float> values = Decoded(WeightType::kQ5_K, block);
  for (size_t i = 0; i < 256; ++i) {
    const size_t sub = i / 32, g = i / 64, l = i % 32;
    const size_t fifth = l * 37 % 256 >> sub & 1;
    const auto q = static_cast<float>((sub % 2 == 0 ? (l + g) % 16 : (l + 3) % 16) + 16 * fifth);
    EXPECT_EQ(values[i], 0.5f * kScales[sub] * q - 0.25f * kMinima[sub]) << i;
  }
}

TEST(WeightBlocks, Q6_KHasSignedScalesAndItsFactorLast) {
  std::string low(128, '\0'), high(64, '\0'), scales(16, '\0');
  // q of value i is i % 64, and the scale of 16 values k is k - 8.
  for (size_t i = 0; i < 256; ++i) {
    const size_t q = i * 5 % 64, half = i / 128, row = i % 128 / 32, l = i % 32;
    const size_t low_at = 64 * half + 32 * (row % 2) + l;
    low[low_at] = static_cast<char>(low[low_at] | static_cast<char>((q & 15) << (row < 2 ? 0 : 4)));
    const size_t high_at = 32 * half + l;
    high[high_at] = static_cast<char>(high[high_at] | static_cast<char>(q >> 4 << (2 * row)));
  }
  for (size_t k = 0; k < 16; ++k) scales[k] = static_cast<char>(static_cast<int>(k) - 8);
  const std::string block = low + high + scales + kHalf;
  ASSERT_EQ(block.size(), 210u);
  const std::vector<float> values = Decoded(WeightType::kQ6_K, block);
  for (size_t i = 0; i < 256; ++i) {
    const auto q = static_cast<float>(i * 5 % 64) - 32;
    // Sixteen neighbours share a scale: rows of 32 have two each.
    const auto scale = static_cast<float>(i / 16) - 8;
    EXPECT_EQ(values[i], 0.5f * scale * q) << i;
  }
}

TEST(WeightBlocks, BlocksFollowEachOther) {
  const std::string block = kHalf + std::string(32, '\x02') + kQuarter + std::string(32, '\x03');
  const std::vector<float> values = Decoded(WeightType::kQ8_0, block);
  EXPECT_EQ(values[31], 1.0f);
  EXPECT_EQ(values[32], 0.75f);
}

}  // namespace
}  // namespace statelib::kernels
