// SPDX-License-Identifier: Apache-2.0
#include "core/engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "core/base/error.h"

namespace statelib::engine {

namespace {

constexpr double kPenaltyMost = 100;

void Require(bool holds, const char* option, const char* allowed, double found) {
  if (!holds)
    Throw(ErrorKind::kInvalidArgument, "{}: expected {}, found {}", option, allowed, found);
}

/// A number above 0 as a normal float.
float Normal(double value) {
  using Limits = std::numeric_limits<float>;
  return static_cast<float>(
      std::clamp(value, static_cast<double>(Limits::min()), static_cast<double>(Limits::max())));
}

}  // namespace

// Written as "holds" so that not-a-number fails every one.
void SamplingOptions::Validate() const {
  Require(repetition_penalty > 0 && std::isfinite(repetition_penalty), "repetition-penalty",
          "a number above 0", repetition_penalty);
  Require(std::fabs(presence_penalty) <= kPenaltyMost, "presence-penalty",
          "a number from -100 to 100", presence_penalty);
  Require(std::fabs(frequency_penalty) <= kPenaltyMost, "frequency-penalty",
          "a number from -100 to 100", frequency_penalty);
  Require(temperature >= 0 && std::isfinite(temperature), "temperature", "0 or more", temperature);
  Require(top_p > 0 && top_p <= 1, "top-p", "a number above 0 and up to 1", top_p);
  Require(min_p >= 0 && min_p <= 1, "min-p", "a number from 0 to 1", min_p);
  std::unordered_set<TokenId> biased;
  for (const TokenBias& bias : biases) {
    Require(std::isfinite(bias.value), "bias", "a finite number", static_cast<double>(bias.value));
    if (!biased.insert(bias.id).second)
      Throw(ErrorKind::kInvalidArgument, "bias: expected one a token, found two of token {}",
            bias.id);
  }
}

Sampler::Sampler(const SamplingOptions& options, std::optional<uint32_t> log_probabilities)
    : options_(options),
      counts_(options.repetition_penalty != 1 || options.presence_penalty != 0 ||
              options.frequency_penalty != 0) {
  options.Validate();
  row_.temperature = options.temperature == 0 ? 0.0f : Normal(options.temperature);
  row_.top_k = options.top_k;
  row_.top_p = options.top_p;
  row_.min_p = options.min_p;
  row_.repetition_penalty = Normal(options.repetition_penalty);
  row_.presence_penalty = static_cast<float>(options.presence_penalty);
  row_.frequency_penalty = static_cast<float>(options.frequency_penalty);
  row_.seed = options.seed;
  row_.log_probabilities = log_probabilities;
}

kernels::SeenToken& Sampler::Seen(TokenId token) {
  const auto [found, is_new] = index_.try_emplace(token, seen_.size());
  if (is_new) seen_.push_back({token, 0});
  return seen_[found->second];
}

void Sampler::Observe(std::span<const TokenId> tokens) {
  if (!counts_) return;
  for (const TokenId token : tokens) Seen(token);
}

kernels::SampleRow Sampler::Row() const {
  kernels::SampleRow row = row_;
  row.seen = seen_;
  row.biases = options_.biases;
  return row;
}

TokenId Sampler::Accept(const kernels::SampleResult& result) {
  if (result.id < 0) {
    throw Error(ErrorKind::kCorrupt,
                "no logit is a number: the model's weights or the state are broken");
  }
  if (counts_) ++Seen(result.id).in_answer;
  ++row_.position;
  return result.id;
}

}  // namespace statelib::engine
