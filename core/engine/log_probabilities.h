// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_LOG_PROBABILITIES_H_
#define STATELIB_CORE_ENGINE_LOG_PROBABILITIES_H_

#include <cstddef>
#include <span>
#include <vector>

#include "core/base/history.h"

namespace statelib::engine {

/// A token and the logarithm of its probability, natural.
struct TokenLogProbability {
  TokenId token = 0;
  double value = 0;

  bool operator==(const TokenLogProbability&) const = default;
};

/// What a model thought of a token that was chosen, and of the likeliest ones in its place. This is
/// the model's own distribution, before temperature, penalties and filters.
struct TokenChoice {
  TokenLogProbability chosen;
  std::vector<TokenLogProbability> best;  ///< the likeliest first, by id where they are equal
};

/// log p(token) of the distribution that logits make. Shapes: logits [vocabulary].
double LogProbabilityOf(std::span<const float> logits, TokenId token);

/// `token` and the `count` likeliest tokens. Logits that are not numbers are left out; logits
/// [vocabulary], of which the token is one.
TokenChoice ChoiceOf(std::span<const float> logits, TokenId token, size_t count);

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_LOG_PROBABILITIES_H_
