// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_SAMPLER_H_
#define STATELIB_CORE_ENGINE_SAMPLER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/base/history.h"
#include "kernels/sampling.h"

namespace statelib::engine {

using kernels::TokenBias;

/// How the next token is chosen. Penalties and biases change the logits, then the filters apply in
/// the order in which they stand here; kernels/sampling.h has the formulas.
struct SamplingOptions {
  /// > 0; logits of tokens read or chosen are divided by it (multiplied where negative).
  double repetition_penalty = 1.0;
  /// -100 to 100; taken off the logits of tokens that stand in the answer.
  double presence_penalty = 0.0;
  /// -100 to 100; taken off as often as a token stands in the answer.
  double frequency_penalty = 0.0;
  double temperature = 0.0;  ///< >= 0; 0 is greedy: the largest logit, the smallest id on ties
  uint32_t top_k = 0;        ///< keeps the k likeliest tokens; 0 keeps all
  double top_p =
      1.0;  ///< (0, 1]; keeps the fewest likeliest tokens that reach this probability together
  double min_p = 0.0;  ///< [0, 1]; keeps tokens at least this likely relative to the likeliest
  uint64_t seed = 0;
  /// Added to the logits of these tokens; finite, and each token once.
  std::vector<TokenBias> biases = {};

  /// Errors: kInvalidArgument with the option, what it allows and what was found.
  void Validate() const;
};

/// What the choices of one answer depend on besides its logits: the options, the tokens so far and
/// the position. The choice itself is the backend's (Batch). The same options, logits and
/// tokens give the same choices on every machine. One thread.
class Sampler {
 public:
  /// log_probabilities: as in kernels::SampleRow. Errors: as SamplingOptions::Validate.
  explicit Sampler(const SamplingOptions& options, std::optional<uint32_t> log_probabilities = {});

  /// Tokens before the answer, which the repetition penalty counts as seen.
  void Observe(std::span<const TokenId> tokens);

  /// The parameters of the next choice, valid until the next call of Observe or Accept.
  kernels::SampleRow Row() const;

  /// Takes the token that was chosen with Row(); the next choice follows it. Errors: kCorrupt when
  /// none was, as no logit is a number: the weights or the state are broken.
  TokenId Accept(const kernels::SampleResult& result);

 private:
  kernels::SeenToken& Seen(TokenId token);

  SamplingOptions options_;
  bool counts_;  // whether a penalty needs the tokens so far
  kernels::SampleRow row_;
  std::vector<kernels::SeenToken> seen_;
  std::unordered_map<TokenId, size_t> index_;  // of a token in seen_
};

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_SAMPLER_H_
