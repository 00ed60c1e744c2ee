// SPDX-License-Identifier: Apache-2.0
#include "kernels/quantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/exact/quantized_input.h"
#include "kernels/weight_blocks.h"
#include "tests/kernels/numbers.h"

namespace statelib::kernels {
namespace {

/// A row quantised and decoded.
std::vector<float> RoundTrip(WeightType type, const std::vector<float>& row) {
  std::vector<std::byte> blocks(QuantizedRowBytes(type, row.size()));
  QuantizeRow(type, row, blocks.data());
  const WeightTypeInfo info = InfoOf(type);
  std::vector<float> values(blocks.size() / info.block_bytes * info.block_elements);
  DecodeBlocks(type, blocks, values);
  values.resize(row.size());
  return values;
}

double MeanSquare(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::pow(static_cast<double>(a[i]) - b[i], 2);
  return sum / static_cast<double>(a.size());
}

TEST(QuantizeRow, Q8_0IsWithinHalfAStep) {
  const auto row = Numbers(1).Make(300, -2, 2);
  const auto values = RoundTrip(WeightType::kQ8_0, row);
  for (size_t i = 0; i < row.size(); ++i) {
    float largest = 0;
    for (size_t k = i / 32 * 32; k < std::min(i / 32 * 32 + 32, row.size()); ++k)
      largest = std::max(largest, std::fabs(row[k]));
    // Half a step, and what rounding the scale to a half costs the largest code.
    EXPECT_NEAR(values[i], row[i], largest / 127 * (0.5f + 127 * 0x1p-11f)) << i;
  }
}

TEST(QuantizeRow, Q8_0KeepsWhatItCanHold) {
  std::vector<float> row(32);
  for (size_t i = 0; i < 32; ++i) row[i] = 0.25f * (static_cast<float>(i * 8) - 127.0f);
  EXPECT_EQ(RoundTrip(WeightType::kQ8_0, row), row);
}

TEST(QuantizeRow, Q4_KKeepsWhatItCanHold) {
  // Scales 63 and 21 of d = 1/64, minimums 63 and 7 of dmin = 1/32, every code in use.
  std::vector<float> row(64);
  for (size_t i = 0; i < 32; ++i) {
    const auto q = static_cast<float>(i % 16);
    row[i] = 63.0f / 64 * q - 63.0f / 32;
    row[i + 32] = 21.0f / 64 * q - 7.0f / 32;
  }
  EXPECT_LT(MeanSquare(RoundTrip(WeightType::kQ4_K, row), row), 1e-8);
}

/// What 4 bits by plain rounding between least and largest cost, with exact scales.
double PlainRoundingError(const std::vector<float>& row) {
  std::vector<float> values(row.size());
  for (size_t first = 0; first < row.size(); first += 32) {
    const auto [low, high] = std::minmax_element(row.begin() + static_cast<ptrdiff_t>(first),
                                                 row.begin() + static_cast<ptrdiff_t>(first) + 32);
    const float step = (*high - *low) / 15;
    for (size_t i = first; i < first + 32; ++i)
      values[i] = std::round((row[i] - *low) / step) * step + *low;
  }
  return MeanSquare(values, row);
}

TEST(QuantizeRow, Q4_KErrsLessThanPlainRounding) {
  std::mt19937 engine(3);
  std::normal_distribution<float> normal(0.0f, 0.05f);
  std::vector<float> row(256 * 40);
  for (float& value : row) value = normal(engine);
  const double ours = MeanSquare(RoundTrip(WeightType::kQ4_K, row), row),
               plain = PlainRoundingError(row);
  std::printf("mean square error: %.4g, plain rounding %.4g\n", ours, plain);
  EXPECT_LT(ours, 0.97 * plain);
}

TEST(QuantizeRow, ZerosStayZeros) {
  const std::vector<float> zeros(70);
  EXPECT_EQ(RoundTrip(WeightType::kQ8_0, zeros), zeros);
  EXPECT_EQ(RoundTrip(WeightType::kQ4_K, zeros), zeros);
}

TEST(QuantizeRow, AWeightThatIsNotFiniteMakesItsBlockNaN) {
  for (const WeightType type : {WeightType::kQ8_0, WeightType::kQ4_K}) {
    std::vector<float> row(512, 1.0f);
    row[300] = std::numeric_limits<float>::infinity();
    const auto values = RoundTrip(type, row);
    EXPECT_TRUE(std::isnan(values[300]));
    EXPECT_TRUE(std::isfinite(values[0]));
  }
}

TEST(QuantizeInput, FollowsItsFormulaByHand) {
  using exact::QuantizeInput;
  const float x[4] = {2.0f, -1.0f, 0.5f, 0.0f};
  const auto block = QuantizeInput(x, 4);
  EXPECT_EQ(block.scale, 2.0f / 127.0f);
  EXPECT_EQ(block.codes[0], 127);
  EXPECT_EQ(block.codes[1], -64);  // -63.5, a tie, goes to the even one
  EXPECT_EQ(block.codes[2], 32);   // 31.75
  EXPECT_EQ(block.codes[3], 0);
  EXPECT_EQ(block.codes[31], 0);
}

TEST(QuantizeInput, TinyBlocksVanishAndOthersThatAreNotFiniteBecomeNaN) {
  using exact::QuantizeInput;
  const float tiny = 0x1p-101f, infinite = std::numeric_limits<float>::infinity();
  EXPECT_EQ(QuantizeInput(&tiny, 1).scale, 0.0f);
  EXPECT_TRUE(std::isnan(QuantizeInput(&infinite, 1).scale));
  EXPECT_EQ(QuantizeInput(&infinite, 1).codes[0], 0);
}

}  // namespace
}  // namespace statelib::kernels
