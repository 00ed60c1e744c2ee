// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_OPTIONAL_OPERATION_H_
#define STATELIB_KERNELS_OPTIONAL_OPERATION_H_

#include <cstdint>

namespace statelib::kernels {

/// Operations that a backend may lack. A model that needs one is refused when it is loaded
/// (Backend::Supports).
enum class Operation : uint8_t {
  kAttention,
};

/// What an operation is called in messages, and its family as profiles name it.
struct OperationInfo {
  const char* name;
  const char* family;
  int revision;  ///< of the family's orders of operations
};

constexpr OperationInfo InfoOf(Operation operation) {
  switch (operation) {
    case Operation::kAttention:
      return {"attention", "attn", 1};
  }
  return {"?", "?", 0};
}

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_OPTIONAL_OPERATION_H_
