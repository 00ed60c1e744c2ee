// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/float_difference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace statelib::storage {
namespace {

template <typename T>
Bytes BytesOf(const std::vector<T>& values) {
  const ByteSpan bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

uint32_t DifferenceOf(float value, float base) {
  Bytes bytes = BytesOf<float>({value});
  TakeDifference(BytesOf<float>({base}), bytes);
  return LoadLittle<uint32_t>(bytes.data());
}

TEST(FloatDifference, IsUndoneForAnyBits) {
  std::mt19937 random(5);
  std::vector<uint32_t> base(100'000), values(base.size());
  for (size_t i = 0; i < base.size(); ++i) {
    base[i] = static_cast<uint32_t>(random());
    values[i] = i % 2 == 0 ? static_cast<uint32_t>(random()) : base[i] ^ (1u << (i % 32));
  }
  Bytes bytes = BytesOf(values);
  TakeDifference(BytesOf(base), bytes);
  EXPECT_NE(bytes, BytesOf(values));
  AddDifference(BytesOf(base), bytes);
  EXPECT_EQ(bytes, BytesOf(values));
}

TEST(FloatDifference, IsUndoneForSpecialValuesAgainstEachOther) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> special = {0.0f,
                                      -0.0f,
                                      1.0f,
                                      -1.0f,
                                      infinity,
                                      -infinity,
                                      std::numeric_limits<float>::quiet_NaN(),
                                      std::numeric_limits<float>::denorm_min(),
                                      std::numeric_limits<float>::lowest()};
  for (const float base : special) {
    const Bytes bases = BytesOf(std::vector<float>(special.size(), base));
    Bytes bytes = BytesOf(special);
    TakeDifference(bases, bytes);
    AddDifference(bases, bytes);
    EXPECT_EQ(bytes, BytesOf(special)) << base;
  }
}

TEST(FloatDifference, CountsTheValuesBetweenWithASign) {
  EXPECT_EQ(DifferenceOf(1.5f, 1.5f), 0u);
  EXPECT_EQ(DifferenceOf(std::nextafter(1.5f, 9.0f), 1.5f), 1u);
  EXPECT_EQ(DifferenceOf(std::nextafter(2.0f, 0.0f), 2.0f), 0x80000000u);  // across a power of two
  EXPECT_EQ(DifferenceOf(std::nextafter(-2.0f, 0.0f), -2.0f), 1u);
  EXPECT_EQ(DifferenceOf(1.0f + std::ldexp(3.0f, -23), 1.0f), 3u);
  EXPECT_EQ(DifferenceOf(-0.0f, 0.0f), 0x80000000u);
}

}  // namespace
}  // namespace statelib::storage
