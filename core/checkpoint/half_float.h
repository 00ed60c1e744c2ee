// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_CHECKPOINT_HALF_FLOAT_H_
#define STATELIB_CORE_CHECKPOINT_HALF_FLOAT_H_

#include <bit>
#include <cstdint>

namespace statelib::checkpoint {

/// The exact f32 value of a bfloat16, given as its bits.
inline float F32FromBF16(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

/// The exact f32 value of an IEEE binary16, given as its bits; subnormals, infinities and NaN too.
inline float F32FromF16(uint16_t bits) {
  const uint32_t sign = (bits & 0x8000u) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1fu;
  const uint32_t fraction = bits & 0x3ffu;
  if (exponent == 0) {  // zero and subnormals: fraction * 2^-24, a product that rounds nothing
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t rebased = exponent == 0x1f ? 0xffu : exponent + (127 - 15);
  return std::bit_cast<float>(sign | (rebased << 23) | (fraction << 13));
}

}  // namespace statelib::checkpoint

#endif  // STATELIB_CORE_CHECKPOINT_HALF_FLOAT_H_
