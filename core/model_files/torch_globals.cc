// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/torch_globals.h"

#include <algorithm>
#include <array>

#include "core/model_files/pickle.h"

namespace statelib::model_files {

namespace {

enum class Role : uint8_t { kSymbol, kStorage, kDType };

struct Entry {
  std::string_view name;
  Role role = Role::kSymbol;
  ElementType type = ElementType::kU8;
};

constexpr auto kEntries = std::to_array<Entry>({
    {kOrderedDictGlobal},
    {"torch._utils._rebuild_tensor"},
    {"torch._utils._rebuild_tensor_v2"},
    {"torch._utils._rebuild_tensor_v3"},
    {"torch._utils._rebuild_parameter"},
    {"torch.Size"},
    {"torch.device"},
    {"torch.nn.parameter.Parameter"},
    {"torch.storage.UntypedStorage", Role::kStorage, ElementType::kU8},
    {"torch.FloatStorage", Role::kStorage, ElementType::kF32},
    {"torch.HalfStorage", Role::kStorage, ElementType::kF16},
    {"torch.BFloat16Storage", Role::kStorage, ElementType::kBF16},
    {"torch.DoubleStorage", Role::kStorage, ElementType::kF64},
    {"torch.LongStorage", Role::kStorage, ElementType::kI64},
    {"torch.IntStorage", Role::kStorage, ElementType::kI32},
    {"torch.ShortStorage", Role::kStorage, ElementType::kI16},
    {"torch.CharStorage", Role::kStorage, ElementType::kI8},
    {"torch.ByteStorage", Role::kStorage, ElementType::kU8},
    {"torch.BoolStorage", Role::kStorage, ElementType::kBool},
    {"torch.float32", Role::kDType, ElementType::kF32},
    {"torch.float16", Role::kDType, ElementType::kF16},
    {"torch.bfloat16", Role::kDType, ElementType::kBF16},
    {"torch.float64", Role::kDType, ElementType::kF64},
    {"torch.int64", Role::kDType, ElementType::kI64},
    {"torch.int32", Role::kDType, ElementType::kI32},
    {"torch.int16", Role::kDType, ElementType::kI16},
    {"torch.int8", Role::kDType, ElementType::kI8},
    {"torch.uint8", Role::kDType, ElementType::kU8},
    {"torch.uint16", Role::kDType, ElementType::kU16},
    {"torch.uint32", Role::kDType, ElementType::kU32},
    {"torch.uint64", Role::kDType, ElementType::kU64},
    {"torch.bool", Role::kDType, ElementType::kBool},
    {"torch.float8_e4m3fn", Role::kDType, ElementType::kF8E4M3},
    {"torch.float8_e5m2", Role::kDType, ElementType::kF8E5M2},
});
static_assert(kEntries[static_cast<size_t>(TorchGlobal::kSize)].name == "torch.Size");
static_assert(kEntries[static_cast<size_t>(TorchGlobal::kFirstTyped)].name == "torch.FloatStorage");

constexpr auto kNames = [] {
  std::array<std::string_view, kEntries.size()> names;
  std::ranges::transform(kEntries, names.begin(), &Entry::name);
  return names;
}();

std::optional<ElementType> ElementOf(TorchGlobal global, Role role) {
  const Entry& entry = kEntries[static_cast<size_t>(global)];
  return entry.role == role ? std::optional(entry.type) : std::nullopt;
}

}  // namespace

std::span<const std::string_view> TorchGlobalNames() { return kNames; }

std::optional<ElementType> StorageElement(TorchGlobal global) {
  return ElementOf(global, Role::kStorage);
}

std::optional<ElementType> DTypeElement(TorchGlobal global) {
  return ElementOf(global, Role::kDType);
}

}  // namespace statelib::model_files
