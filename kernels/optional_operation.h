// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_OPTIONAL_OPERATION_H_
#define STATELIB_KERNELS_OPTIONAL_OPERATION_H_

#include <cstdint>

namespace statelib::kernels {

/// Operations that a backend may lack. A model that needs one is refused when it is loaded
/// (Backend::Supports).
enum class Operation : uint8_t {
  kElementwise,  ///< Backend::Gate, AddScaled, and Mamba2Scan without its gate or skip
  kLayerNorm,
  kAttention,
  kExperts,     ///< Backend::Route, MatMulByExpert, SumExperts
  kKeptInputs,  ///< rows that are open or kept (memory.h), for every operation with a state
  kStepTrace,   ///< Backend::TimeSteps, Decays
};

/// What an operation is called in messages, and its family as profiles name it; null where there is
/// one way alone to compute it.
struct OperationInfo {
  const char* name;
  const char* family;
  int revision;  ///< of the family's orders of operations
};

constexpr OperationInfo InfoOf(Operation operation) {
  switch (operation) {
    case Operation::kElementwise:
      return {"gates and sums of rows", nullptr, 0};
    case Operation::kLayerNorm:
      return {"layer norms", "lnorm", 1};
    case Operation::kAttention:
      return {"attention", "attn", 1};
    case Operation::kExperts:
      return {"experts", "moe", 1};
    case Operation::kKeptInputs:
      return {"guesses that can be taken back", nullptr, 0};
    case Operation::kStepTrace:
      return {"time steps and decays of each token", nullptr, 0};
  }
  return {"?", "?", 0};
}

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_OPTIONAL_OPERATION_H_
