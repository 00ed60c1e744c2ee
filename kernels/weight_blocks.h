// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_WEIGHT_BLOCKS_H_
#define STATELIB_KERNELS_WEIGHT_BLOCKS_H_

#include <array>
#include <span>

#include "kernels/weight_type.h"

namespace statelib::kernels {

/// What a block type is made of, apart from how its bits are laid out:
///   weight = (d * scale[sub-block]) * (code - offset) - dmin * minimum[sub-block]
/// Source: ggml's block structures.
struct BlockLayout {
  size_t elements;      ///< that share d and dmin
  size_t sub_elements;  ///< that share a scale and a minimum
  int code_bits;        ///< a code fits this many bits, 4 or 8, and is not negative
  int offset;
  bool has_scales;  ///< else every scale is 1
  bool has_minimums;
};

constexpr BlockLayout LayoutOf(WeightType type) {
  switch (type) {
    case WeightType::kQ8_0:
      return {32, 32, 8, 128, false, false};
    case WeightType::kQ4_0:
      return {32, 32, 4, 8, false, false};
    case WeightType::kQ4_1:
      return {32, 32, 4, 0, false, true};
    case WeightType::kQ5_0:
      return {32, 32, 8, 16, false, false};
    case WeightType::kQ5_1:
      return {32, 32, 8, 0, false, true};
    case WeightType::kQ4_K:
      return {256, 32, 4, 0, true, true};
    case WeightType::kQ5_K:
      return {256, 32, 8, 0, true, true};
    case WeightType::kQ6_K:
      return {256, 16, 8, 32, true, false};
    default:
      return {};
  }
}

inline constexpr size_t kBlockElementsMax = 256;

/// One block as its numbers.
struct BlockCodes {
  uint16_t d = 0;     ///< IEEE half
  uint16_t dmin = 0;  ///< IEEE half
  std::array<int8_t, 16> scales{};
  std::array<uint8_t, 16> minimums{};
  std::array<uint8_t, kBlockElementsMax> codes{};
};

/// Takes one block of a block type apart. `block` may be unaligned.
void UnpackBlock(WeightType type, const std::byte* block, BlockCodes& numbers);

/// The weights of a block as f32, with the operations of ggml's own decoder, so that the bits are
/// its bits. values: LayoutOf(type).elements.
void DecodeBlock(WeightType type, const BlockCodes& numbers, float* values);

/// Decodes whole blocks. Shapes: blocks [n / elements] of InfoOf(type).block_bytes, unaligned;
/// values [n].
void DecodeBlocks(WeightType type, std::span<const std::byte> blocks, std::span<float> values);

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_WEIGHT_BLOCKS_H_
