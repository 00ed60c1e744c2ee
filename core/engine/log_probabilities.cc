// SPDX-License-Identifier: Apache-2.0
#include "core/engine/log_probabilities.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace statelib::engine {

namespace {

/// What is subtracted from a logit to get a log-probability: log of the sum of e^logit.
double LogSum(std::span<const float> logits) {
  float largest = -std::numeric_limits<float>::infinity();
  for (const float logit : logits)
    if (logit > largest) largest = logit;
  double total = 0;
  for (const float logit : logits)
    if (!std::isnan(logit)) total += std::exp(static_cast<double>(logit) - largest);
  return largest + std::log(total);
}

}  // namespace

double LogProbabilityOf(std::span<const float> logits, TokenId token) {
  return logits[static_cast<size_t>(token)] - LogSum(logits);
}

TokenChoice ChoiceOf(std::span<const float> logits, TokenId token, size_t count) {
  const double sum = LogSum(logits);
  const auto value = [&](TokenId id) {
    return TokenLogProbability{id, logits[static_cast<size_t>(id)] - sum};
  };
  std::vector<TokenId> ids;
  for (size_t i = 0; i < logits.size(); ++i)
    if (!std::isnan(logits[i])) ids.push_back(static_cast<TokenId>(i));
  const auto end = ids.begin() + static_cast<std::ptrdiff_t>(std::min(count, ids.size()));
  std::partial_sort(ids.begin(), end, ids.end(), [&](TokenId a, TokenId b) {
    const float left = logits[static_cast<size_t>(a)], right = logits[static_cast<size_t>(b)];
    return left != right ? left > right : a < b;
  });
  TokenChoice choice{value(token), {}};
  std::transform(ids.begin(), end, std::back_inserter(choice.best), value);
  return choice;
}

}  // namespace statelib::engine
