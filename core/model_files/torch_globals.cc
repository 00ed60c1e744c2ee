// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/torch_globals.h"

#include <iterator>
#include <vector>

#include "core/model_files/pickle.h"

namespace statelib::model_files {

namespace {

enum class Role : uint8_t { kSymbol, kStorage, kDType };

struct Entry {
  std::string_view name;
  Role role = Role::kSymbol;
  ElementType type = ElementType::kU8;
};

// In the order of TorchGlobal.
constexpr Entry kUntyped[] = {
    {kOrderedDictGlobal},
    {"torch._utils._rebuild_tensor"},
    {"torch._utils._rebuild_tensor_v2"},
    {"torch._utils._rebuild_tensor_v3"},
    {"torch._utils._rebuild_parameter"},
    {"torch.Size"},
    {"torch.device"},
    {"torch.nn.parameter.Parameter"},
    {"torch.storage.UntypedStorage", Role::kStorage, ElementType::kU8},
};
static_assert(kUntyped[static_cast<size_t>(TorchGlobal::kSize)].name == "torch.Size");
static_assert(std::size(kUntyped) == static_cast<size_t>(TorchGlobal::kUntypedStorage) + 1);

/// Those and the names of the table of types.
std::vector<Entry> MakeEntries() {
  std::vector<Entry> entries(std::begin(kUntyped), std::end(kUntyped));
  const auto add = [&entries](std::string_view ElementTypeInfo::*name, Role role) {
    const std::span<const ElementTypeInfo> types = ElementTypes();
    for (size_t i = 0; i < types.size(); ++i) {
      if (!(types[i].*name).empty())
        entries.push_back({types[i].*name, role, static_cast<ElementType>(i)});
    }
  };
  add(&ElementTypeInfo::torch_storage, Role::kStorage);
  add(&ElementTypeInfo::torch_dtype, Role::kDType);
  return entries;
}

const std::vector<Entry>& Entries() {
  static const std::vector<Entry> entries = MakeEntries();
  return entries;
}

std::optional<ElementType> ElementOf(TorchGlobal global, Role role) {
  const Entry& entry = Entries()[static_cast<size_t>(global)];
  return entry.role == role ? std::optional(entry.type) : std::nullopt;
}

}  // namespace

std::span<const std::string_view> TorchGlobalNames() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const Entry& entry : Entries()) all.push_back(entry.name);
    return all;
  }();
  return names;
}

std::optional<ElementType> StorageElement(TorchGlobal global) {
  return ElementOf(global, Role::kStorage);
}

std::optional<ElementType> DTypeElement(TorchGlobal global) {
  return ElementOf(global, Role::kDType);
}

}  // namespace statelib::model_files
