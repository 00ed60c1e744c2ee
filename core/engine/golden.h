// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_GOLDEN_H_
#define STATELIB_CORE_ENGINE_GOLDEN_H_

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/engine/runtime.h"

namespace statelib::engine {

/// How a golden file is judged.
struct GoldenOptions {
  /// Largest error allowed in logits and log-probabilities, relative to the largest one recorded
  /// where that exceeds 1.
  double logits_tolerance = 1e-4;
  double cache_tolerance = 2e-5;  ///< the same for each part of the state
  const CancelFlag* cancel = nullptr;
  /// Called after every step with the tokens read so far, and how many there are at most.
  std::function<void(uint64_t done, uint64_t total)> on_progress = {};
};

/// The largest error of one quantity that a golden file records, against what the runtime
/// computed.
struct GoldenError {
  std::string what;    ///< "logits", "next_token_logprob", "layer 3 ssm"
  double largest = 0;  ///< NaN where a value of either side is not finite
  double allowed = 0;  ///< an absolute error
  bool passed() const { return largest <= allowed; }  // false for not-a-number
};

struct GoldenReport {
  uint64_t prompt_tokens = 0;
  std::vector<GoldenError> errors;
  uint64_t greedy_tokens = 0;          ///< recorded
  uint64_t greedy_tokens_matched = 0;  ///< the same from the first on
  uint64_t cuts = 0;                   ///< of CompareInCuts: how many ways of cutting were run
  uint64_t cuts_that_differ = 0;       ///< how many of them gave other bytes than the first
  /// What holds NaN or infinity: recorded ("cache.3.recurrent_states.0"), or computed, whether that
  /// is recorded or not ("logits", "layer 3 ssm").
  std::vector<std::string> not_finite;
  /// Recorded parts of a state that the model's states do not have: "cache.1.keys".
  std::vector<std::string> without_place;
  /// Tensors that golden files do not have, which were not looked at.
  std::vector<std::string> unknown;

  /// Whether anything was compared at all.
  bool compared() const { return !errors.empty() || greedy_tokens > 0; }
  /// Whether something was compared and nothing is wrong; `unknown` tensors do not count.
  bool passed() const;
};

/// Reads the prompt of a golden file token by token and compares what the runtime computes with
/// what another implementation recorded (tests/golden/README.md has the layout): `input_ids`;
/// `logits` [tokens, vocabulary] or `last_logits` [vocabulary]; `next_token_logprob` [tokens - 1];
/// `cache.N.conv_states[.0]` and `cache.N.recurrent_states[.0]`; `greedy`. Quantities that the file
/// lacks are left out. Errors: kNotFound, kCorrupt (a file that does not fit the model),
/// kCancelled.
GoldenReport CompareWithGolden(Runtime& runtime, const std::filesystem::path& golden_file,
                               const GoldenOptions& options = {});

/// The same for a longer prompt that is read in one call, and then `cuts` times in calls of random
/// lengths, with a resume from the stored bytes between some of them: each must record the same and
/// have the same bytes. Equal seeds give equal cuts. Errors: as CompareWithGolden.
GoldenReport CompareInCuts(Runtime& runtime, const std::filesystem::path& golden_file, int cuts,
                           uint64_t seed, const GoldenOptions& options = {});

/// Where the longer prompt of a golden file lies: "golden_long.safetensors" beside
/// "golden.safetensors".
std::filesystem::path LongGoldenOf(const std::filesystem::path& golden_file);

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_GOLDEN_H_
