// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_FIDELITY_H_
#define STATELIB_STATESTORE_LIBRARY_FIDELITY_H_

#include <limits>
#include <string>
#include <vector>

#include "statestore/library/models.h"
#include "statestore/storage/records.h"

namespace statelib::library {

/// How a state is to be stored, and what that may cost.
struct CodecRequest {
  storage::Codec codec = storage::Codec::kExact;
  /// A lossy codec whose mean KL divergence over the probe is larger is refused.
  double kl_max = std::numeric_limits<double>::infinity();
  /// What both states go on to read while they are compared; empty: a built-in English text.
  std::string probe = {};
  const CancelFlag* cancel = nullptr;
};

/// A state whose segments a lossy codec can store, and what that cost.
struct ApproximateState {
  std::vector<Bytes> segments;  ///< in the order of the state spec
  storage::Fidelity fidelity;
};

/// Approximates a state's segments and measures the loss: both states read the probe token by
/// token, and after each the next-token predictions are compared. Errors: kInvalidArgument (values
/// that are not finite, a probe without tokens, a KL beyond kl_max: nothing is stored); kCancelled.
ApproximateState ApproximateAndMeasure(const LoadedModel& model, const engine::State& state,
                                       const CodecRequest& request);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_FIDELITY_H_
