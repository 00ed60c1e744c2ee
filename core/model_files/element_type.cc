// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/element_type.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace statelib::model_files {

namespace {

using kernels::WeightType;

/// A row of the table, said word by word.
struct Row : ElementTypeInfo {
  constexpr Row Ggml(uint32_t number) const {
    Row row = *this;
    row.ggml = number;
    return row;
  }
  constexpr Row FileType(uint32_t number) const {
    Row row = *this;
    row.gguf_file = number;
    return row;
  }
  constexpr Row Torch(std::string_view dtype, std::string_view storage = {}) const {
    Row row = *this;
    row.torch_dtype = dtype;
    row.torch_storage = storage;
    return row;
  }
};

constexpr Row Plain(std::string_view name, uint32_t bits) { return {{name, 1, bits}}; }

/// A type that the kernels compute with: they know how it lies in memory.
constexpr Row Weight(std::string_view name, WeightType type) {
  const kernels::WeightTypeInfo info = kernels::InfoOf(type);
  return {{name, static_cast<uint32_t>(info.block_elements),
           static_cast<uint32_t>(8 * info.block_bytes), type}};
}

// In the order of the enumeration.
constexpr Row kRows[] = {
    Plain("BOOL", 8).Torch("torch.bool", "torch.BoolStorage"),
    Plain("F4", 4),
    Plain("F6_E2M3", 6),
    Plain("F6_E3M2", 6),
    Plain("U8", 8).Torch("torch.uint8", "torch.ByteStorage"),
    Plain("I8", 8).Ggml(24).Torch("torch.int8", "torch.CharStorage"),
    Plain("F8_E5M2", 8).Torch("torch.float8_e5m2"),
    Plain("F8_E4M3", 8).Torch("torch.float8_e4m3fn"),
    Plain("F8_E8M0", 8),
    Plain("F8_E4M3FNUZ", 8),
    Plain("F8_E5M2FNUZ", 8),
    Plain("I16", 16).Ggml(25).Torch("torch.int16", "torch.ShortStorage"),
    Plain("U16", 16).Torch("torch.uint16"),
    Weight("F16", WeightType::kF16).Ggml(1).FileType(1).Torch("torch.float16", "torch.HalfStorage"),
    Weight("BF16", WeightType::kBF16)
        .Ggml(30)
        .FileType(32)
        .Torch("torch.bfloat16", "torch.BFloat16Storage"),
    Plain("I32", 32).Ggml(26).Torch("torch.int32", "torch.IntStorage"),
    Plain("U32", 32).Torch("torch.uint32"),
    Weight("F32", WeightType::kF32)
        .Ggml(0)
        .FileType(0)
        .Torch("torch.float32", "torch.FloatStorage"),
    Plain("C64", 64),
    Plain("F64", 64).Ggml(28).Torch("torch.float64", "torch.DoubleStorage"),
    Plain("I64", 64).Ggml(27).Torch("torch.int64", "torch.LongStorage"),
    Plain("U64", 64).Torch("torch.uint64"),
    Weight("Q4_0", WeightType::kQ4_0).Ggml(2).FileType(2),
    Weight("Q4_1", WeightType::kQ4_1).Ggml(3).FileType(3),
    Weight("Q5_0", WeightType::kQ5_0).Ggml(6).FileType(8),
    Weight("Q5_1", WeightType::kQ5_1).Ggml(7).FileType(9),
    Weight("Q8_0", WeightType::kQ8_0).Ggml(8).FileType(7),
    Weight("Q4_K", WeightType::kQ4_K).Ggml(12).FileType(15),
    Weight("Q5_K", WeightType::kQ5_K).Ggml(13).FileType(17),
    Weight("Q6_K", WeightType::kQ6_K).Ggml(14).FileType(18),
};

constexpr size_t kTypes = static_cast<size_t>(ElementType::kQ6_K) + 1;
constexpr size_t kPlainTypes = static_cast<size_t>(ElementType::kU64) + 1;
constexpr size_t kWeightTypes = static_cast<size_t>(WeightType::kQ6_K) + 1;

constexpr auto kInfos = [] {
  std::array<ElementTypeInfo, kTypes> infos;
  std::ranges::copy(kRows, infos.begin());
  return infos;
}();
static_assert(std::size(kRows) == kTypes);
static_assert(kInfos[static_cast<size_t>(ElementType::kBF16)].name == "BF16");
static_assert(kInfos[static_cast<size_t>(ElementType::kU64)].name == "U64");
static_assert(kInfos.back().name == "Q6_K");

template <typename Value>
std::optional<ElementType> TypeWith(Value ElementTypeInfo::*member, const auto& value) {
  const auto found = std::ranges::find(kInfos, value, member);
  if (found == kInfos.end()) return std::nullopt;
  return static_cast<ElementType>(found - kInfos.begin());
}

}  // namespace

std::span<const ElementTypeInfo> ElementTypes() { return kInfos; }

const ElementTypeInfo& InfoOf(ElementType type) { return kInfos[static_cast<size_t>(type)]; }

std::optional<ElementType> ElementTypeFromName(std::string_view name) {
  const std::optional<ElementType> type = AnyElementTypeFromName(name);
  return type && !IsBlockType(*type) ? type : std::nullopt;
}

std::optional<ElementType> AnyElementTypeFromName(std::string_view name) {
  return TypeWith(&ElementTypeInfo::name, name);
}

std::optional<ElementType> ElementTypeFromGgml(uint32_t number) {
  return TypeWith(&ElementTypeInfo::ggml, number);
}

std::string PlainElementTypeNames() {
  std::string names;
  for (size_t i = 0; i < kPlainTypes; ++i) {
    if (i > 0) names += ", ";
    names += kInfos[i].name;
  }
  return names;
}

std::string WeightTypeNames() {
  std::string names;
  for (size_t i = 0; i < kWeightTypes; ++i) {
    const auto type = TypeWith(&ElementTypeInfo::weight, static_cast<WeightType>(i));
    if (i > 0) names += i + 1 < kWeightTypes ? ", " : " or ";
    names += NameOf(*type);
  }
  return names;
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
