// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_LOG_PROBABILITIES_H_
#define STATELIB_CORE_ENGINE_LOG_PROBABILITIES_H_

#include <span>
#include <vector>

#include "core/base/history.h"
#include "kernels/sampling.h"

namespace statelib::engine {

/// A token and the logarithm of its probability, natural.
using kernels::TokenLogProbability;

/// What a model thought of a token that was chosen, and of the likeliest ones in its place. This is
/// the model's own distribution, before temperature, penalties and filters.
struct TokenChoice {
  TokenLogProbability chosen;
  std::vector<TokenLogProbability> best;  ///< the likeliest first, by id where they are equal
};

/// log(sum exp(logit)) over the logits that are numbers, one of which is finite, none plus
/// infinity: what is subtracted from a logit to get a log-probability. logits: [vocabulary].
/// Relative error of the sum below 2e-7. A fixed sequence of operations: what is measured of a
/// lossy codec is kept with the state and is part of its id.
double LogSumOf(std::span<const float> logits);

/// log p(token) of the distribution that logits make. Shapes: logits [vocabulary].
double LogProbabilityOf(std::span<const float> logits, TokenId token);

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_LOG_PROBABILITIES_H_
