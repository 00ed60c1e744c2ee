// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/dequantize.h"

#include <cstdlib>

#include "core/checkpoint/half_float.h"

namespace statelib::checkpoint {

namespace {

float HalfAt(const std::byte* from) { return F32FromF16(LoadLittle<uint16_t>(from)); }
int ByteAt(const std::byte* from, size_t index) { return std::to_integer<int>(from[index]); }
int SignedAt(const std::byte* from, size_t index) { return static_cast<int8_t>(from[index]); }

// d half @0; 32 signed bytes @2.
void DecodeQ8_0(const std::byte* block, float* values) {
  const float d = HalfAt(block);
  for (size_t i = 0; i < 32; ++i) values[i] = static_cast<float>(SignedAt(block + 2, i)) * d;
}

// d half @0; 16 bytes @2: the low nibbles are the first 16 values, the high ones the last 16.
void DecodeQ4_0(const std::byte* block, float* values) {
  const float d = HalfAt(block);
  for (size_t i = 0; i < 16; ++i) {
    const int pair = ByteAt(block + 2, i);
    values[i] = static_cast<float>((pair & 15) - 8) * d;
    values[i + 16] = static_cast<float>((pair >> 4) - 8) * d;
  }
}

/// The factor and the offset of one sub-block of 32 values in Q4_K and Q5_K.
struct SubBlock {
  float scale;
  float offset;
};

// d half @0; dmin half @2; eight pairs of 6-bit numbers in 12 bytes @4: the first four pairs lie in
// the low 6 bits of bytes 0-3 and 4-7, the last four in the nibbles of bytes 8-11 and the two high
// bits of bytes 0-7.
SubBlock SubBlockOf(const std::byte* block, size_t j) {
  const std::byte* s = block + 4;
  const int scale =
      j < 4 ? ByteAt(s, j) & 63 : (ByteAt(s, j + 4) & 15) | (ByteAt(s, j - 4) >> 6) << 4;
  const int offset =
      j < 4 ? ByteAt(s, j + 4) & 63 : ByteAt(s, j + 4) >> 4 | (ByteAt(s, j) >> 6) << 4;
  return {HalfAt(block) * static_cast<float>(scale),
          HalfAt(block + 2) * static_cast<float>(offset)};
}

// Nibbles @16: each 32 bytes hold two sub-blocks, the first in the low nibbles.
void DecodeQ4_K(const std::byte* block, float* values) {
  for (size_t j = 0; j < 8; ++j) {
    const SubBlock sub = SubBlockOf(block, j);
    const std::byte* nibbles = block + 16 + 32 * (j / 2);
    for (size_t i = 0; i < 32; ++i) {
      const int q = ByteAt(nibbles, i) >> (4 * (j % 2)) & 15;
      values[32 * j + i] = sub.scale * static_cast<float>(q) - sub.offset;
    }
  }
}

// The fifth bits @16: bit j of byte i belongs to value i of sub-block j. Nibbles as Q4_K, @48.
void DecodeQ5_K(const std::byte* block, float* values) {
  for (size_t j = 0; j < 8; ++j) {
    const SubBlock sub = SubBlockOf(block, j);
    const std::byte* nibbles = block + 48 + 32 * (j / 2);
    for (size_t i = 0; i < 32; ++i) {
      const int low = ByteAt(nibbles, i) >> (4 * (j % 2)) & 15;
      const int high = ByteAt(block + 16, i) >> j & 1;
      values[32 * j + i] = sub.scale * static_cast<float>(low | high << 4) - sub.offset;
    }
  }
}

// Low nibbles @0 (128 bytes), high bit pairs @128 (64), signed scales of 16 values each @192 (16),
// d half @208. Half n has four rows of 32 values: row r takes its nibbles from bytes 32 (r % 2) on,
// low ones for r < 2, and its pairs from bits 2 r of the half's 32 bytes.
void DecodeQ6_K(const std::byte* block, float* values) {
  const float d = HalfAt(block + 208);
  for (size_t n = 0; n < 2; ++n) {
    for (size_t r = 0; r < 4; ++r) {
      for (size_t i = 0; i < 32; ++i) {
        const int low = ByteAt(block, 64 * n + 32 * (r % 2) + i) >> (4 * (r / 2)) & 15;
        const int high = ByteAt(block + 128, 32 * n + i) >> (2 * r) & 3;
        const int scale = SignedAt(block + 192, 8 * n + 2 * r + i / 16);
        values[128 * n + 32 * r + i] =
            d * static_cast<float>(scale) * static_cast<float>((low | high << 4) - 32);
      }
    }
  }
}

using Decoder = void (*)(const std::byte*, float*);

Decoder DecoderOf(ElementType type) {
  switch (type) {
    case ElementType::kQ4_0:
      return DecodeQ4_0;
    case ElementType::kQ8_0:
      return DecodeQ8_0;
    case ElementType::kQ4_K:
      return DecodeQ4_K;
    case ElementType::kQ5_K:
      return DecodeQ5_K;
    case ElementType::kQ6_K:
      return DecodeQ6_K;
    default:
      std::abort();  // the caller's own mistake: a plain type has no blocks
  }
}

}  // namespace

void Dequantize(ElementType type, ByteSpan blocks, std::span<float> values) {
  const ElementTypeInfo& info = InfoOf(type);
  const size_t block_bytes = info.block_bits / 8;
  const Decoder decode = DecoderOf(type);
  const size_t count = values.size() / info.block_elements;
  if (values.size() % info.block_elements != 0 || blocks.size() != count * block_bytes)
    std::abort();
  for (size_t i = 0; i < count; ++i) {
    decode(blocks.data() + i * block_bytes, values.data() + i * info.block_elements);
  }
}

}  // namespace statelib::checkpoint
