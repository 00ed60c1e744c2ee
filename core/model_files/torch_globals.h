// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_TORCH_GLOBALS_H_
#define STATELIB_CORE_MODEL_FILES_TORCH_GLOBALS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/model_files/element_type.h"

namespace statelib::model_files {

/// Every global that a saved state dict may name. They are symbols: nothing is behind them.
enum class TorchGlobal : uint8_t {
  kOrderedDict,
  kRebuildTensor,
  kRebuildTensorV2,
  kRebuildTensorV3,
  kRebuildParameter,
  kSize,
  kDevice,
  kParameter,
  kUntypedStorage,  ///< behind it: the storage classes and the dtypes of ElementTypes()
};

/// "module.name" of every global, in the order of TorchGlobal.
std::span<const std::string_view> TorchGlobalNames();
inline std::string_view NameOf(TorchGlobal global) {
  return TorchGlobalNames()[static_cast<size_t>(global)];
}

/// The elements of a storage class, U8 for the untyped one; empty for any other global.
std::optional<ElementType> StorageElement(TorchGlobal global);
/// The elements that a torch.dtype means; empty for any other global.
std::optional<ElementType> DTypeElement(TorchGlobal global);

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_TORCH_GLOBALS_H_
