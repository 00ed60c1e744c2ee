// SPDX-License-Identifier: Apache-2.0
#include "core/engine/quality.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/engine/log_probabilities.h"
#include "kernels/exact/math.h"

namespace statelib::engine {

using kernels::exact::Exp;

namespace {

// Logits of both are held for this many tokens at a time.
constexpr size_t kTokensAtOnce = 64;

ptrdiff_t Likeliest(std::span<const float> logits) {
  return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

/// -log p(token).
double LossOf(std::span<const float> logits, TokenId token) {
  return LogSumOf(logits) - logits[static_cast<size_t>(token)];
}

struct Sums {
  PredictionComparison comparison;
  double reference_loss = 0, loss = 0;
};

void CompareText(Runtime& reference, Runtime& candidate, std::span<const TokenId> text,
                 const AdvanceControl& control, uint64_t tokens_before, Sums& sums) {
  const auto vocabulary = static_cast<size_t>(reference.info().vocabulary_size);
  State reference_state = reference.Empty(), state = candidate.Empty();
  std::vector<float> reference_logits(kTokensAtOnce * vocabulary);
  for (size_t first = 0; first + 1 < text.size(); first += kTokensAtOnce) {
    const auto part = text.subspan(first, std::min(kTokensAtOnce, text.size() - 1 - first));
    size_t row = 0;
    reference.AdvanceWithLogits(
        reference_state, part,
        [&](std::span<const float> logits) {
          std::copy(logits.begin(), logits.end(),
                    reference_logits.begin() + static_cast<ptrdiff_t>(row++ * vocabulary));
        },
        control.cancel);
    row = 0;
    candidate.AdvanceWithLogits(
        state, part,
        [&](std::span<const float> logits) {
          const auto right =
              std::span<const float>(reference_logits).subspan(row * vocabulary, vocabulary);
          const TokenId next = text[first + ++row];
          sums.comparison.Add(right, logits);
          sums.reference_loss += LossOf(right, next);
          sums.loss += LossOf(logits, next);
        },
        control.cancel);
    if (control.on_progress) control.on_progress(tokens_before + first + part.size());
  }
}

}  // namespace

void PredictionComparison::Add(std::span<const float> reference, std::span<const float> candidate) {
  const double reference_sum = LogSumOf(reference), sum = LogSumOf(candidate);
  double divergence = 0;
  for (size_t v = 0; v < reference.size(); ++v) {
    const double log_p = reference[v] - reference_sum, log_q = candidate[v] - sum;
    divergence += Exp(static_cast<float>(log_p)) * (log_p - log_q);
  }
  divergence = std::max(divergence, 0.0);
  ++predictions_;
  agreements_ += Likeliest(reference) == Likeliest(candidate) ? 1 : 0;
  kl_ += divergence;
  kl_largest_ = std::max(kl_largest_, divergence);
}

Quality CompareQuality(Runtime& reference, Runtime& candidate,
                       std::span<const std::vector<TokenId>> texts, const AdvanceControl& control) {
  if (reference.info().vocabulary_size != candidate.info().vocabulary_size) {
    Throw(ErrorKind::kMismatch,
          "[quality] expected vocabularies of one size, found {} tokens and {}; both models must "
          "read the same tokens",
          reference.info().vocabulary_size, candidate.info().vocabulary_size);
  }
  Sums sums;
  uint64_t tokens_before = 0;
  for (const std::vector<TokenId>& text : texts) {
    CompareText(reference, candidate, text, control, tokens_before, sums);
    tokens_before += text.size();
  }
  const PredictionComparison& comparison = sums.comparison;
  if (comparison.predictions() == 0) {
    throw Error(ErrorKind::kInvalidArgument,
                "[quality] the text is too short: expected two tokens or more");
  }
  const auto count = static_cast<double>(comparison.predictions());
  return {comparison.predictions(),
          comparison.kl(),
          comparison.kl_largest(),
          comparison.top1_agreement(),
          std::exp(sums.reference_loss / count),
          std::exp(sums.loss / count)};
}

}  // namespace statelib::engine
