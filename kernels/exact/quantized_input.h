// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_EXACT_QUANTIZED_INPUT_H_
#define STATELIB_KERNELS_EXACT_QUANTIZED_INPUT_H_

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

/// How a row of inputs becomes 8-bit numbers for a product with quantised weights. Every backend
/// does these operations in this order.
namespace statelib::kernels::exact {

inline constexpr size_t kInputBlock = 32;
/// Below this a block counts as zero, so that 127 / largest stays finite.
inline constexpr float kSmallestInput = 0x1p-100f;

/// x[i] is about scale * codes[i].
struct InputBlock {
  int8_t codes[kInputBlock] = {};
  float scale = 0;
};

/// scale = max |x| / 127; code = x * (127 / max |x|) to nearest, ties to even. A block with a value
/// that is not finite gets the scale NaN and the codes 0. x: count values, at most 32; the missing
/// ones are zeros.
inline InputBlock QuantizeInput(const float* x, size_t count) {
  InputBlock block;
  uint32_t largest_bits = 0;  // the bits of magnitudes are ordered as their values, NaN above all
  for (size_t i = 0; i < count; ++i) {
    const uint32_t magnitude = std::bit_cast<uint32_t>(x[i]) & 0x7fffffff;
    if (magnitude > largest_bits) largest_bits = magnitude;
  }
  const auto largest = std::bit_cast<float>(largest_bits);
  if (largest_bits >= 0x7f800000) {
    block.scale = std::numeric_limits<float>::quiet_NaN();
    return block;
  }
  if (largest < kSmallestInput) return block;
  block.scale = largest / 127.0f;
  const float inverse = 127.0f / largest;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  for (size_t i = 0; i < count; ++i)
    block.codes[i] = static_cast<int8_t>((x[i] * inverse + kRound) - kRound);
  return block;
}

}  // namespace statelib::kernels::exact

#endif  // STATELIB_KERNELS_EXACT_QUANTIZED_INPUT_H_
