// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_QUALITY_H_
#define STATELIB_CORE_ENGINE_QUALITY_H_

#include <functional>
#include <span>
#include <vector>

#include "core/engine/runtime.h"

namespace statelib::engine {

/// Sums up how far next-token predictions are from those of a reference. One thread.
class PredictionComparison {
 public:
  /// Adds one prediction: logits over the same vocabulary, at least one of them finite.
  void Add(std::span<const float> reference, std::span<const float> candidate);

  uint64_t predictions() const { return predictions_; }
  /// Mean and largest KL(reference || candidate) = sum_v p(v) * log(p(v) / q(v)), in nats; never
  /// below zero, where rounding would take it. 0 for no predictions.
  double kl() const { return predictions_ == 0 ? 0 : kl_ / static_cast<double>(predictions_); }
  double kl_largest() const { return kl_largest_; }
  /// The part of the predictions whose likeliest token is the same.
  double top1_agreement() const {
    return predictions_ == 0 ? 0
                             : static_cast<double>(agreements_) / static_cast<double>(predictions_);
  }

 private:
  uint64_t predictions_ = 0, agreements_ = 0;
  double kl_ = 0, kl_largest_ = 0;
};

/// How far a runtime's next-token predictions are from a reference's, over a text. Of every token
/// but a text's last, the prediction of the token that follows is compared.
struct Quality {
  uint64_t predictions = 0;
  double kl = 0;  ///< this and the next two as in PredictionComparison
  double kl_largest = 0;
  double top1_agreement = 0;
  /// exp of the mean of -log p(token that follows).
  double reference_perplexity = 0;
  double perplexity = 0;
};

/// Reads each text from nothing with both. The two may be of different models when their
/// vocabularies have one size. Errors: kMismatch (vocabularies); kInvalidArgument (no text of two
/// tokens); kCancelled.
Quality CompareQuality(Runtime& reference, Runtime& candidate,
                       std::span<const std::vector<TokenId>> texts, const AdvanceControl& control);

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_QUALITY_H_
