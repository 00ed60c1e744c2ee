// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_BENCHMARK_H_
#define STATELIB_CORE_ENGINE_BENCHMARK_H_

#include "core/engine/runtime.h"

namespace statelib::engine {

/// A measured rate beside what the machine allows.
struct Speed {
  double tokens_per_second = 0;
  double limit = 0;  ///< tokens a second
  bool limit_is_memory =
      false;  ///< the limit is one pass over the weights a step, not the products
};

/// What the machine keeps up at best, for one runtime.
struct MachineLimits {
  double multiply_adds_per_second = 0;  ///< in the arithmetic of the runtime's format
  double read_bytes_per_second = 0;     ///< over a working set of the size of its weights
};

/// Takes about 0.5 s, and for a moment as much memory as the weights have, at most 1 GiB.
MachineLimits MeasureLimits(const Runtime& runtime);

/// Reading a text: how fast one sequence is advanced by many tokens. `limits` were measured just
/// before; they are measured again afterwards and left there, and the rate stands beside the mean
/// of both, for those of a shared machine change within seconds. Takes about `seconds`, or one
/// step, and MeasureLimits. Errors: kCancelled.
Speed MeasurePrefill(Runtime& runtime, MachineLimits& limits, double seconds,
                     const CancelFlag* cancel = nullptr);

/// Writing: one token after the other for each of `sequences` states at once, with the logits of
/// each; `limits` as above. Takes about `seconds`, or two steps, and MeasureLimits. Errors:
/// kCancelled.
Speed MeasureDecode(Runtime& runtime, MachineLimits& limits, size_t sequences, double seconds,
                    const CancelFlag* cancel = nullptr);

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_BENCHMARK_H_
