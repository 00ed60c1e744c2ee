// SPDX-License-Identifier: Apache-2.0
#include "core/engine/sampler.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "kernels/reference/math.h"

namespace statelib::engine {

namespace {

void Require(bool holds, const char* option, const char* allowed, double found) {
  if (!holds)
    Throw(ErrorKind::kInvalidArgument, "{}: expected {}, found {}", option, allowed, found);
}

}  // namespace

// Written as "holds" so that not-a-number fails every one.
void SamplingOptions::Validate() const {
  Require(repetition_penalty > 0 && std::isfinite(repetition_penalty), "repetition-penalty",
          "a number above 0", repetition_penalty);
  Require(temperature >= 0 && std::isfinite(temperature), "temperature", "0 or more", temperature);
  Require(top_p > 0 && top_p <= 1, "top-p", "a number above 0 and up to 1", top_p);
  Require(min_p >= 0 && min_p <= 1, "min-p", "a number from 0 to 1", min_p);
}

Sampler::Sampler(const SamplingOptions& options, size_t vocabulary_size)
    : options_(options), vocabulary_size_(vocabulary_size), random_(options.seed) {
  options.Validate();
}

void Sampler::Observe(std::span<const TokenId> tokens) {
  if (options_.repetition_penalty != 1.0) seen_.insert(tokens.begin(), tokens.end());
}

TokenId Sampler::Choose(std::span<const float> logits) {
  std::vector<Candidate> candidates = Candidates(logits);
  if (candidates.empty()) {
    throw Error(ErrorKind::kCorrupt,
                "no logit is a number: the model's weights or the state are broken");
  }
  TokenId chosen = 0;
  if (options_.temperature == 0) {
    chosen = std::max_element(candidates.begin(), candidates.end(),
                              [](const Candidate& a, const Candidate& b) {
                                return a.logit < b.logit;  // the first of equals stays
                              })
                 ->id;
  } else {
    KeepLikeliest(candidates);
    KeepTopP(candidates);
    chosen = Draw(candidates);
  }
  Observe(std::span(&chosen, 1));
  return chosen;
}

std::vector<Sampler::Candidate> Sampler::Candidates(std::span<const float> logits) const {
  const auto penalty = static_cast<float>(options_.repetition_penalty);
  std::vector<Candidate> candidates;
  candidates.reserve(logits.size());
  for (size_t i = 0; i < std::min(logits.size(), vocabulary_size_); ++i) {
    const auto id = static_cast<TokenId>(i);
    float logit = logits[i];
    if (std::isnan(logit)) continue;
    if (!seen_.empty() && seen_.contains(id)) logit = logit > 0 ? logit / penalty : logit * penalty;
    candidates.push_back({id, logit, 0.0f});
  }
  return candidates;
}

void Sampler::KeepLikeliest(std::vector<Candidate>& candidates) const {
  const auto likelier = [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
  };
  const size_t keep =
      options_.top_k == 0 ? candidates.size() : std::min<size_t>(options_.top_k, candidates.size());
  std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(keep),
                    candidates.end(), likelier);
  candidates.resize(keep);
  const float largest = candidates.front().logit,
              inverse = static_cast<float>(1.0 / options_.temperature);
  for (Candidate& candidate : candidates) {
    candidate.weight = candidate.logit == largest
                           ? 1.0f
                           : kernels::reference::Exp((candidate.logit - largest) * inverse);
  }
}

void Sampler::KeepTopP(std::vector<Candidate>& candidates) const {
  double total = 0;
  for (const Candidate& candidate : candidates) total += candidate.weight;
  double reached = 0;
  size_t keep = 0;
  while (keep < candidates.size() && (keep == 0 || reached < options_.top_p * total)) {
    reached += candidates[keep++].weight;
  }
  // Weights are relative to the likeliest, whose weight is one.
  while (keep > 1 && candidates[keep - 1].weight < options_.min_p) --keep;
  candidates.resize(keep);
}

TokenId Sampler::Draw(const std::vector<Candidate>& candidates) {
  double total = 0;
  for (const Candidate& candidate : candidates) total += candidate.weight;
  // 53 random bits: a number in [0, 1) that is the same everywhere, unlike
  // std::uniform_real_distribution's.
  double left = static_cast<double>(random_() >> 11) * 0x1p-53 * total;
  for (const Candidate& candidate : candidates) {
    left -= candidate.weight;
    if (left < 0) return candidate.id;
  }
  return candidates.front().id;  // rounding used up the last weight
}

}  // namespace statelib::engine
