// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_SAMPLER_H_
#define STATELIB_CORE_ENGINE_SAMPLER_H_

#include <cstdint>
#include <random>
#include <span>
#include <unordered_set>
#include <vector>

#include "core/base/history.h"

namespace statelib::engine {

/// How the next token is chosen. The filters apply in the order in which they stand here.
struct SamplingOptions {
  double repetition_penalty =
      1.0;  ///< > 0; logits of tokens seen are divided by it (multiplied where negative)
  double temperature = 0.0;  ///< >= 0; 0 is greedy: the largest logit, the smallest id on ties
  uint32_t top_k = 0;        ///< keeps the k likeliest tokens; 0 keeps all
  double top_p =
      1.0;  ///< (0, 1]; keeps the fewest likeliest tokens that reach this probability together
  double min_p = 0.0;  ///< [0, 1]; keeps tokens at least this likely relative to the likeliest
  uint64_t seed = 0;

  /// Errors: kInvalidArgument with the option, what it allows and what was found.
  void Validate() const;
};

/// Chooses tokens. The same options, logits and tokens give the same choices on every machine: the
/// random numbers are std::mt19937_64's and the exponentials are the runtime's own. One thread.
class Sampler {
 public:
  /// vocabulary_size: ids from there on have no token and are never chosen (padding rows of the
  /// head). Errors: as SamplingOptions::Validate.
  Sampler(const SamplingOptions& options, size_t vocabulary_size);

  /// Tokens that the repetition penalty counts as seen.
  void Observe(std::span<const TokenId> tokens);

  /// The next token; it is observed. Not-a-number logits are never chosen.
  /// Errors: kCorrupt when no logit is a number: the weights or the state are broken.
  TokenId Choose(std::span<const float> logits);

 private:
  struct Candidate {
    TokenId id;
    float logit;
    float weight;  // exp((logit - largest) / temperature), not normalised
  };

  std::vector<Candidate> Candidates(std::span<const float> logits) const;
  void KeepLikeliest(std::vector<Candidate>& candidates) const;
  void KeepTopP(std::vector<Candidate>& candidates) const;
  TokenId Draw(const std::vector<Candidate>& candidates);

  SamplingOptions options_;
  size_t vocabulary_size_;
  std::mt19937_64 random_;
  std::unordered_set<TokenId> seen_;
};

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_SAMPLER_H_
