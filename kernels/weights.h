// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_WEIGHTS_H_
#define STATELIB_KERNELS_WEIGHTS_H_

#include <bit>
#include <cstring>

#include "kernels/backend.h"

namespace statelib::kernels {

inline float FloatFromBF16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

/// IEEE half precision; exact, subnormals and infinities included.
inline float FloatFromF16(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1f;
  const uint32_t fraction = bits & 0x3ff;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000 | (fraction << 13));
  if (exponent != 0)
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;  // subnormal or zero
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
}

/// Element `index` of dense little-endian values, as f32. Every supported type converts exactly.
inline float LoadWeight(const std::byte* data, DType dtype, size_t index) {
  if (dtype == DType::kF32) {
    float value;
    std::memcpy(&value, data + 4 * index, 4);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, data + 2 * index, 2);
  return dtype == DType::kBF16 ? FloatFromBF16(bits) : FloatFromF16(bits);
}

inline float LoadWeight(const WeightView& weights, size_t row, size_t col) {
  return LoadWeight(weights.data, weights.dtype, row * weights.cols + col);
}

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_WEIGHTS_H_
