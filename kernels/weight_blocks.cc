// SPDX-License-Identifier: Apache-2.0
#include "kernels/weight_blocks.h"

#include <cstring>

#include "kernels/check.h"
#include "kernels/weights.h"

namespace statelib::kernels {

namespace {

uint16_t HalfAt(const std::byte* from) {
  uint16_t bits;
  std::memcpy(&bits, from, 2);
  return bits;
}
int ByteAt(const std::byte* from, size_t index) { return std::to_integer<int>(from[index]); }

// d half @0; 32 signed bytes @2.
void UnpackQ8_0(const std::byte* block, BlockCodes& numbers) {
  numbers.d = HalfAt(block);
  for (size_t i = 0; i < 32; ++i)
    numbers.codes[i] = static_cast<uint8_t>(ByteAt(block + 2, i) ^ 0x80);
}

// 16 bytes: the low nibbles are the first 16 values, the high ones the last 16.
void UnpackNibbles(const std::byte* nibbles, BlockCodes& numbers) {
  for (size_t i = 0; i < 16; ++i) {
    const int pair = ByteAt(nibbles, i);
    numbers.codes[i] = static_cast<uint8_t>(pair & 15);
    numbers.codes[i + 16] = static_cast<uint8_t>(pair >> 4);
  }
}

// 4 bytes: bit i of theirs is the fifth bit of value i.
void AddFifthBits(const std::byte* bits, BlockCodes& numbers) {
  for (size_t i = 0; i < 32; ++i)
    numbers.codes[i] |= static_cast<uint8_t>((ByteAt(bits, i / 8) >> (i % 8) & 1) << 4);
}

// d half @0; m half @2, which is added: a minimum of 1 times -m.
void UnpackScaleAndOffset(const std::byte* block, BlockCodes& numbers) {
  numbers.d = HalfAt(block);
  numbers.dmin = HalfAt(block + 2) ^ 0x8000;
  numbers.minimums[0] = 1;
}

// d half @0; nibbles @2.
void UnpackQ4_0(const std::byte* block, BlockCodes& numbers) {
  numbers.d = HalfAt(block);
  UnpackNibbles(block + 2, numbers);
}

// d and m; nibbles @4.
void UnpackQ4_1(const std::byte* block, BlockCodes& numbers) {
  UnpackScaleAndOffset(block, numbers);
  UnpackNibbles(block + 4, numbers);
}

// d half @0; fifth bits @2; nibbles @6.
void UnpackQ5_0(const std::byte* block, BlockCodes& numbers) {
  numbers.d = HalfAt(block);
  UnpackNibbles(block + 6, numbers);
  AddFifthBits(block + 2, numbers);
}

// d and m; fifth bits @4; nibbles @8.
void UnpackQ5_1(const std::byte* block, BlockCodes& numbers) {
  UnpackScaleAndOffset(block, numbers);
  UnpackNibbles(block + 8, numbers);
  AddFifthBits(block + 4, numbers);
}

// d half @0; dmin half @2; eight pairs of 6-bit numbers in 12 bytes @4: the first four pairs lie in
// the low 6 bits of bytes 0-3 and 4-7, the last four in the nibbles of bytes 8-11 and the two high
// bits of bytes 0-7.
void UnpackScales(const std::byte* block, BlockCodes& numbers) {
  numbers.d = HalfAt(block);
  numbers.dmin = HalfAt(block + 2);
  const std::byte* s = block + 4;
  for (size_t j = 0; j < 4; ++j) {
    numbers.scales[j] = static_cast<int8_t>(ByteAt(s, j) & 63);
    numbers.minimums[j] = static_cast<uint8_t>(ByteAt(s, j + 4) & 63);
    numbers.scales[j + 4] = static_cast<int8_t>((ByteAt(s, j + 8) & 15) | (ByteAt(s, j) >> 6) << 4);
    numbers.minimums[j + 4] =
        static_cast<uint8_t>(ByteAt(s, j + 8) >> 4 | (ByteAt(s, j + 4) >> 6) << 4);
  }
}

// Nibbles @16: each 32 bytes hold two sub-blocks, the first in the low nibbles.
void UnpackQ4_K(const std::byte* block, BlockCodes& numbers) {
  UnpackScales(block, numbers);
  for (size_t j = 0; j < 8; ++j) {
    const std::byte* nibbles = block + 16 + 32 * (j / 2);
    for (size_t i = 0; i < 32; ++i) {
      numbers.codes[32 * j + i] = static_cast<uint8_t>(ByteAt(nibbles, i) >> (4 * (j % 2)) & 15);
    }
  }
}

// The fifth bits @16: bit j of byte i belongs to value i of sub-block j. Nibbles as Q4_K, @48.
void UnpackQ5_K(const std::byte* block, BlockCodes& numbers) {
  UnpackScales(block, numbers);
  for (size_t j = 0; j < 8; ++j) {
    const std::byte* nibbles = block + 48 + 32 * (j / 2);
    for (size_t i = 0; i < 32; ++i) {
      const int low = ByteAt(nibbles, i) >> (4 * (j % 2)) & 15;
      const int high = ByteAt(block + 16, i) >> j & 1;
      numbers.codes[32 * j + i] = static_cast<uint8_t>(low | high << 4);
    }
  }
}

// Low nibbles @0 (128 bytes), high bit pairs @128 (64), signed scales of 16 values each @192 (16),
// d half @208. Half n has four rows of 32 values: row r takes its nibbles from bytes 32 (r % 2) on,
// low ones for r < 2, and its pairs from bits 2 r of the half's 32 bytes.
void UnpackQ6_K(const std::byte* block, BlockCodes& numbers) {
  numbers.d = HalfAt(block + 208);
  std::memcpy(numbers.scales.data(), block + 192, 16);
  for (size_t n = 0; n < 2; ++n) {
    for (size_t r = 0; r < 4; ++r) {
      for (size_t i = 0; i < 32; ++i) {
        const int low = ByteAt(block, 64 * n + 32 * (r % 2) + i) >> (4 * (r / 2)) & 15;
        const int high = ByteAt(block + 128, 32 * n + i) >> (2 * r) & 3;
        numbers.codes[128 * n + 32 * r + i] = static_cast<uint8_t>(low | high << 4);
      }
    }
  }
}

}  // namespace

void UnpackBlock(WeightType type, const std::byte* block, BlockCodes& numbers) {
  switch (type) {
    case WeightType::kQ8_0:
      return UnpackQ8_0(block, numbers);
    case WeightType::kQ4_0:
      return UnpackQ4_0(block, numbers);
    case WeightType::kQ4_1:
      return UnpackQ4_1(block, numbers);
    case WeightType::kQ5_0:
      return UnpackQ5_0(block, numbers);
    case WeightType::kQ5_1:
      return UnpackQ5_1(block, numbers);
    case WeightType::kQ4_K:
      return UnpackQ4_K(block, numbers);
    case WeightType::kQ5_K:
      return UnpackQ5_K(block, numbers);
    case WeightType::kQ6_K:
      return UnpackQ6_K(block, numbers);
    default:
      STATELIB_CHECK(false && "a plain type has no blocks");
  }
}

void DecodeBlock(WeightType type, const BlockCodes& numbers, float* values) {
  const BlockLayout layout = LayoutOf(type);
  const float d = FloatFromF16(numbers.d), dmin = FloatFromF16(numbers.dmin);
  for (size_t i = 0; i < layout.elements; ++i) {
    const size_t sub = i / layout.sub_elements;
    const float scale = layout.has_scales ? d * static_cast<float>(numbers.scales[sub]) : d;
    values[i] = scale * static_cast<float>(numbers.codes[i] - layout.offset);
    if (layout.has_minimums) values[i] -= dmin * static_cast<float>(numbers.minimums[sub]);
  }
}

void DecodeBlocks(WeightType type, std::span<const std::byte> blocks, std::span<float> values) {
  const WeightTypeInfo info = InfoOf(type);
  const size_t count = values.size() / info.block_elements;
  STATELIB_CHECK(values.size() % info.block_elements == 0 &&
                 blocks.size() == count * info.block_bytes);
  BlockCodes numbers;
  for (size_t i = 0; i < count; ++i) {
    UnpackBlock(type, blocks.data() + i * info.block_bytes, numbers);
    DecodeBlock(type, numbers, values.data() + i * info.block_elements);
  }
}

}  // namespace statelib::kernels
