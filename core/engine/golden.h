// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_GOLDEN_H_
#define STATELIB_CORE_ENGINE_GOLDEN_H_

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/engine/runtime.h"

namespace statelib::engine {

/// The largest absolute error of one quantity that a golden file records, against what the runtime
/// computed.
struct GoldenError {
  std::string what;  ///< "logits", "next_token_logprob", "layer 3 ssm"
  double largest = 0;
  double allowed = 0;
  bool passed() const { return largest <= allowed; }  // false for not-a-number
};

struct GoldenReport {
  uint64_t prompt_tokens = 0;
  std::vector<GoldenError> errors;
  uint64_t greedy_tokens = 0;          ///< recorded
  uint64_t greedy_tokens_matched = 0;  ///< the same from the first on
  bool passed() const;
};

/// Reads the prompt of a golden file token by token and compares what the runtime computes with
/// what another implementation recorded (tests/golden/README.md has the layout): `input_ids`;
/// `logits` [tokens, vocabulary] or `last_logits` [vocabulary]; `next_token_logprob` [tokens - 1];
/// `cache.N.conv_states[.0]` and `cache.N.recurrent_states[.0]`; `greedy`. Quantities that the file
/// lacks are left out. `on_progress` is called after every token, with how many are done and how
/// many there are at most. Errors: kNotFound, kCorrupt (a file that does not fit the model),
/// kCancelled.
GoldenReport CompareWithGolden(
    Runtime& runtime, const std::filesystem::path& golden_file, double logits_tolerance,
    double cache_tolerance, const CancelFlag* cancel = nullptr,
    const std::function<void(uint64_t done, uint64_t total)>& on_progress = {});

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_GOLDEN_H_
