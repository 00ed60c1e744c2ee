// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/element_type.h"

#include <algorithm>
#include <array>
#include <limits>

namespace statelib::model_files {

namespace {

constexpr size_t kPlainTypes = static_cast<size_t>(ElementType::kU64) + 1;

// In the order of the enumeration.
constexpr std::array<ElementTypeInfo, static_cast<size_t>(ElementType::kQ6_K) + 1> kInfos = {{
    {"BOOL", 1, 8},         {"F4", 1, 4},           {"F6_E2M3", 1, 6},     {"F6_E3M2", 1, 6},
    {"U8", 1, 8},           {"I8", 1, 8},           {"F8_E5M2", 1, 8},     {"F8_E4M3", 1, 8},
    {"F8_E8M0", 1, 8},      {"F8_E4M3FNUZ", 1, 8},  {"F8_E5M2FNUZ", 1, 8}, {"I16", 1, 16},
    {"U16", 1, 16},         {"F16", 1, 16},         {"BF16", 1, 16},       {"I32", 1, 32},
    {"U32", 1, 32},         {"F32", 1, 32},         {"C64", 1, 64},        {"F64", 1, 64},
    {"I64", 1, 64},         {"U64", 1, 64},         {"Q4_0", 32, 18 * 8},  {"Q4_1", 32, 20 * 8},
    {"Q5_0", 32, 22 * 8},   {"Q5_1", 32, 24 * 8},   {"Q8_0", 32, 34 * 8},  {"Q4_K", 256, 144 * 8},
    {"Q5_K", 256, 176 * 8}, {"Q6_K", 256, 210 * 8},
}};
static_assert(kInfos[static_cast<size_t>(ElementType::kBF16)].name == "BF16");
static_assert(kInfos[static_cast<size_t>(ElementType::kU64)].name == "U64");
static_assert(kInfos.back().name == "Q6_K");

}  // namespace

const ElementTypeInfo& InfoOf(ElementType type) { return kInfos[static_cast<size_t>(type)]; }

std::optional<ElementType> ElementTypeFromName(std::string_view name) {
  const std::optional<ElementType> type = AnyElementTypeFromName(name);
  return type && !IsBlockType(*type) ? type : std::nullopt;
}

std::optional<ElementType> AnyElementTypeFromName(std::string_view name) {
  const auto found = std::ranges::find(kInfos, name, &ElementTypeInfo::name);
  if (found == kInfos.end()) return std::nullopt;
  return static_cast<ElementType>(found - kInfos.begin());
}

std::string PlainElementTypeNames() {
  std::string names;
  for (size_t i = 0; i < kPlainTypes; ++i) {
    if (i > 0) names += ", ";
    names += kInfos[i].name;
  }
  return names;
}

std::optional<kernels::WeightType> WeightTypeOf(ElementType type) {
  switch (type) {
    case ElementType::kF32:
      return kernels::WeightType::kF32;
    case ElementType::kBF16:
      return kernels::WeightType::kBF16;
    case ElementType::kF16:
      return kernels::WeightType::kF16;
    case ElementType::kQ8_0:
      return kernels::WeightType::kQ8_0;
    case ElementType::kQ4_0:
      return kernels::WeightType::kQ4_0;
    case ElementType::kQ4_1:
      return kernels::WeightType::kQ4_1;
    case ElementType::kQ5_0:
      return kernels::WeightType::kQ5_0;
    case ElementType::kQ5_1:
      return kernels::WeightType::kQ5_1;
    case ElementType::kQ4_K:
      return kernels::WeightType::kQ4_K;
    case ElementType::kQ5_K:
      return kernels::WeightType::kQ5_K;
    case ElementType::kQ6_K:
      return kernels::WeightType::kQ6_K;
    default:
      return std::nullopt;
  }
}

std::optional<uint64_t> StorageBytes(ElementType type, std::span<const int64_t> shape) {
  const ElementTypeInfo& info = InfoOf(type);
  int64_t elements = 1;
  for (const int64_t axis : shape) {
    if (axis < 0 || __builtin_mul_overflow(elements, axis, &elements)) return std::nullopt;
  }
  const int64_t row = shape.empty() ? 1 : shape.back();
  if (row % info.block_elements != 0) return std::nullopt;
  int64_t bits = 0;
  if (__builtin_mul_overflow(elements / info.block_elements, int64_t{info.block_bits}, &bits) ||
      bits % 8 != 0) {
    return std::nullopt;
  }
  return static_cast<uint64_t>(bits / 8);
}

}  // namespace statelib::model_files
