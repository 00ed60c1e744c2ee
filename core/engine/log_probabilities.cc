// SPDX-License-Identifier: Apache-2.0
#include "core/engine/log_probabilities.h"

#include <cmath>
#include <limits>

#include "kernels/exact/fixed_log.h"
#include "kernels/exact/math.h"

namespace statelib::engine {

double LogSumOf(std::span<const float> logits) {
  float largest = -std::numeric_limits<float>::infinity();
  for (const float logit : logits)
    if (logit > largest) largest = logit;
  double sum = 0;
  for (const float logit : logits)
    if (!std::isnan(logit)) sum += kernels::exact::Exp(logit - largest);
  return largest + kernels::exact::FixedLog(sum);
}

double LogProbabilityOf(std::span<const float> logits, TokenId token) {
  return logits[static_cast<size_t>(token)] - LogSumOf(logits);
}

}  // namespace statelib::engine
