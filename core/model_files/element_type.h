// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_ELEMENT_TYPE_H_
#define STATELIB_CORE_MODEL_FILES_ELEMENT_TYPE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kernels/weight_type.h"

namespace statelib::model_files {

/// What the elements of a stored tensor are. The plain types are those of safetensors, in its
/// order of increasing alignment; the block types are those of GGUF that statelib computes with.
enum class ElementType : uint8_t {
  kBool,
  kF4,
  kF6E2M3,
  kF6E3M2,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kF8E8M0,
  kF8E4M3Fnuz,
  kF8E5M2Fnuz,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kC64,
  kF64,
  kI64,
  kU64,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ4_K,
  kQ5_K,
  kQ6_K,
};

/// How a type lies in memory: `block_elements` neighbours of a row share `block_bits` bits. A plain
/// type is a block of one.
struct ElementTypeInfo {
  std::string_view name;  ///< as safetensors and GGUF write it: "BF16", "Q4_K"
  uint32_t block_elements;
  uint32_t block_bits;
};

const ElementTypeInfo& InfoOf(ElementType type);
inline std::string_view NameOf(ElementType type) { return InfoOf(type).name; }
/// The block types, for messages.
inline constexpr const char* kBlockTypeNames = "Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or Q6_K";
inline bool IsBlockType(ElementType type) { return InfoOf(type).block_elements > 1; }

/// The plain type with this safetensors name; empty for any other text.
std::optional<ElementType> ElementTypeFromName(std::string_view name);
/// The same for every type, block types too.
std::optional<ElementType> AnyElementTypeFromName(std::string_view name);
/// "BOOL, F4, …": every name that ElementTypeFromName knows, for messages.
std::string PlainElementTypeNames();

/// The weight type that the kernels compute with; empty for every other element type.
std::optional<kernels::WeightType> WeightTypeOf(ElementType type);

/// The bytes of a row-major tensor, or empty when its shape has a negative axis, its size does not
/// fit 63 bits, it does not fill whole bytes, or its last axis does not fill whole blocks.
std::optional<uint64_t> StorageBytes(ElementType type, std::span<const int64_t> shape);

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_ELEMENT_TYPE_H_
