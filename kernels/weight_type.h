// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_WEIGHT_TYPE_H_
#define STATELIB_KERNELS_WEIGHT_TYPE_H_

#include <cstddef>
#include <cstdint>

namespace statelib::kernels {

/// How weights lie in a file: plain little-endian elements, or GGUF's blocks, in which neighbours
/// of a row share scales.
enum class WeightType : uint8_t {
  kF32,
  kBF16,
  kF16,
  kQ8_0,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ4_K,
  kQ5_K,
  kQ6_K
};

/// A plain type is a block of one element.
struct WeightTypeInfo {
  const char* name;
  size_t block_elements;
  size_t block_bytes;
};

constexpr WeightTypeInfo InfoOf(WeightType type) {
  switch (type) {
    case WeightType::kF32:
      return {"f32", 1, 4};
    case WeightType::kBF16:
      return {"bf16", 1, 2};
    case WeightType::kF16:
      return {"f16", 1, 2};
    case WeightType::kQ8_0:
      return {"q8_0", 32, 34};
    case WeightType::kQ4_0:
      return {"q4_0", 32, 18};
    case WeightType::kQ4_1:
      return {"q4_1", 32, 20};
    case WeightType::kQ5_0:
      return {"q5_0", 32, 22};
    case WeightType::kQ5_1:
      return {"q5_1", 32, 24};
    case WeightType::kQ4_K:
      return {"q4_k", 256, 144};
    case WeightType::kQ5_K:
      return {"q5_k", 256, 176};
    case WeightType::kQ6_K:
      return {"q6_k", 256, 210};
  }
  return {"?", 1, 1};
}

constexpr const char* NameOf(WeightType type) { return InfoOf(type).name; }
constexpr bool IsBlockType(WeightType type) { return InfoOf(type).block_elements > 1; }
/// Bytes of one row. A row of a block type fills whole blocks.
constexpr size_t RowBytes(WeightType type, size_t cols) {
  return cols / InfoOf(type).block_elements * InfoOf(type).block_bytes;
}

/// How a matrix is held and multiplied, whatever type its weights have in the file. Each but the
/// first is a numerics profile of its own (profile.h).
enum class WeightFormat : uint8_t {
  kStored,  ///< plain types: their exact values times f32 inputs; block types: as kInt8
  kF32,     ///< their exact f32 values times f32 inputs
  kBF16,    ///< weights and inputs rounded to bf16, summed in f32
  kInt8,    ///< weights quantised to Q8_0, inputs to 8 bits, both by blocks of 32
  kInt4,    ///< weights quantised to Q4_K, inputs to 8 bits by blocks of 32
};

constexpr const char* NameOf(WeightFormat format) {
  switch (format) {
    case WeightFormat::kStored:
      return "stored";
    case WeightFormat::kF32:
      return "f32";
    case WeightFormat::kBF16:
      return "bf16";
    case WeightFormat::kInt8:
      return "int8";
    case WeightFormat::kInt4:
      return "int4";
  }
  return "?";
}

/// The type that a matrix of this type is brought into before it is packed: a block type for the
/// formats that quantise and for blocks as they are; kF32 stands for every exact plain value.
constexpr WeightType HeldType(WeightType stored, WeightFormat format) {
  switch (format) {
    case WeightFormat::kStored:
      return stored;
    case WeightFormat::kF32:
      return WeightType::kF32;
    case WeightFormat::kBF16:
      return WeightType::kBF16;
    case WeightFormat::kInt8:
      return WeightType::kQ8_0;
    case WeightFormat::kInt4:
      return WeightType::kQ4_K;
  }
  return stored;
}

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_WEIGHT_TYPE_H_
