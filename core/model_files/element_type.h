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

/// What each file format and the kernels call a type, and how it lies in memory: `block_elements`
/// neighbours of a row share `block_bits` bits. A plain type is a block of one. The one table of
/// them is in element_type.cc.
struct ElementTypeInfo {
  std::string_view name;  ///< as safetensors and GGUF write it: "BF16", "Q4_K"
  uint32_t block_elements = 1;
  uint32_t block_bits = 0;
  std::optional<kernels::WeightType> weight = {};  ///< what the kernels compute with
  std::optional<uint32_t> ggml = {};               ///< ggml's number of a tensor type
  std::optional<uint32_t> gguf_file = {};          ///< general.file_type of files mostly of it
  std::string_view torch_dtype = {};               ///< "torch.bfloat16", or ""
  std::string_view torch_storage = {};             ///< "torch.BFloat16Storage", or ""
};

/// Every type, in the order of the enumeration.
std::span<const ElementTypeInfo> ElementTypes();
const ElementTypeInfo& InfoOf(ElementType type);
inline std::string_view NameOf(ElementType type) { return InfoOf(type).name; }
inline bool IsBlockType(ElementType type) { return InfoOf(type).block_elements > 1; }

/// The plain type with this safetensors name; empty for any other text.
std::optional<ElementType> ElementTypeFromName(std::string_view name);
/// The same for every type, block types too.
std::optional<ElementType> AnyElementTypeFromName(std::string_view name);
/// ggml's type of this number, where it is one of these types.
std::optional<ElementType> ElementTypeFromGgml(uint32_t number);
/// "BOOL, F4, …": every name that ElementTypeFromName knows, for messages.
std::string PlainElementTypeNames();
/// "F32, BF16, …": the types that the kernels compute with, for messages.
std::string WeightTypeNames();

/// The weight type that the kernels compute with; empty for every other element type.
inline std::optional<kernels::WeightType> WeightTypeOf(ElementType type) {
  return InfoOf(type).weight;
}

/// The bytes of a row-major tensor, or empty when its shape has a negative axis, its size does not
/// fit 63 bits, it does not fill whole bytes, or its last axis does not fill whole blocks.
std::optional<uint64_t> StorageBytes(ElementType type, std::span<const int64_t> shape);

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_ELEMENT_TYPE_H_
