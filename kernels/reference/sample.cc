// SPDX-License-Identifier: Apache-2.0
#include "kernels/reference/sample.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/backend.h"
#include "kernels/check.h"
#include "kernels/exact/sample_math.h"

namespace statelib::kernels {

namespace reference {

namespace {

struct Candidate {
  int32_t id;
  float x;
  uint64_t weight;
};

bool IsLikelier(const Candidate& a, const Candidate& b) {
  return a.x != b.x ? a.x > b.x : a.id < b.id;
}

/// Every token whose x is a number, in the order of ids.
std::vector<Candidate> CandidatesOf(std::span<const float> x) {
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < x.size(); ++i)
    if (!std::isnan(x[i])) candidates.push_back({static_cast<int32_t>(i), x[i], 0});
  return candidates;
}

/// The likeliest; candidates are not empty.
const Candidate& LikeliestOf(const std::vector<Candidate>& candidates) {
  return *std::min_element(candidates.begin(), candidates.end(), IsLikelier);
}

/// Sets the weights and returns their sum.
uint64_t Weigh(float temperature, std::vector<Candidate>& candidates) {
  const float largest = LikeliestOf(candidates).x, inverse = 1.0f / temperature;
  uint64_t total = 0;
  for (Candidate& candidate : candidates) {
    candidate.weight = exact::WeightOf(exact::RelativeProbability(candidate.x, largest, inverse));
    total += candidate.weight;
  }
  return total;
}

/// The first `count` and the rest, the first ones in order.
void Sort(size_t count, std::vector<Candidate>& candidates) {
  std::partial_sort(candidates.begin(), candidates.begin() + static_cast<ptrdiff_t>(count),
                    candidates.end(), IsLikelier);
}

void KeepTopK(uint32_t top_k, std::vector<Candidate>& candidates) {
  if (top_k == 0 || top_k >= candidates.size()) return;
  Sort(top_k, candidates);
  candidates.resize(top_k);
}

void KeepTopP(double top_p, std::vector<Candidate>& candidates) {
  if (top_p == 1) return;
  Sort(candidates.size(), candidates);
  uint64_t total = 0;
  for (const Candidate& candidate : candidates) total += candidate.weight;
  const uint64_t to_reach = exact::WeightToReach(top_p, total);
  uint64_t reached = 0;
  size_t keep = 0;
  while (reached < to_reach) reached += candidates[keep++].weight;
  candidates.resize(keep);
}

int32_t Draw(const SampleRow& row, std::vector<Candidate>& candidates) {
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.id < b.id; });
  uint64_t total = 0;
  for (const Candidate& candidate : candidates) total += candidate.weight;
  const uint64_t to_exceed = exact::WeightToExceed(row.seed, row.position, total);
  uint64_t sum = 0;
  size_t i = 0;
  while ((sum += candidates[i].weight) <= to_exceed) ++i;
  return candidates[i].id;
}

/// Of the chosen token, whose logit is a number, and of the likeliest ones.
void AddLogProbabilities(std::span<const float> logits, size_t count, SampleResult& result) {
  std::vector<Candidate> candidates = CandidatesOf(logits);
  const float largest = LikeliestOf(candidates).x;
  const uint64_t total = Weigh(1.0f, candidates);
  result.log_probability =
      exact::LogProbability(logits[static_cast<size_t>(result.id)], largest, total);
  count = std::min(count, candidates.size());
  Sort(count, candidates);
  for (size_t i = 0; i < count; ++i)
    result.best.push_back(
        {candidates[i].id, exact::LogProbability(candidates[i].x, largest, total)});
}

}  // namespace

void AdjustLogits(const SampleRow& row, std::span<float> x) {
  const auto is_token = [&](int32_t id) { return id >= 0 && static_cast<size_t>(id) < x.size(); };
  for (const SeenToken& seen : row.seen) {
    if (!is_token(seen.id)) continue;
    float& value = x[static_cast<size_t>(seen.id)];
    value = value > 0 ? value / row.repetition_penalty : value * row.repetition_penalty;
    if (seen.in_answer == 0) continue;
    value -= row.presence_penalty + row.frequency_penalty * static_cast<float>(seen.in_answer);
  }
  for (const TokenBias& bias : row.biases)
    if (is_token(bias.id)) x[static_cast<size_t>(bias.id)] += bias.value;
  if (row.allowed.empty()) return;
  for (size_t i = 0; i < x.size(); ++i)
    if ((row.allowed[i / 32] >> i % 32 & 1) == 0) x[i] = std::numeric_limits<float>::quiet_NaN();
}

SampleResult Sample(std::span<const float> logits, const SampleRow& row) {
  std::vector<float> x(logits.begin(), logits.end());
  AdjustLogits(row, x);
  std::vector<Candidate> candidates = CandidatesOf(x);
  SampleResult result;
  if (candidates.empty()) return result;
  if (row.temperature == 0) {
    result.id = LikeliestOf(candidates).id;
  } else {
    Weigh(row.temperature, candidates);
    KeepTopK(row.top_k, candidates);
    KeepTopP(row.top_p, candidates);
    std::erase_if(candidates, [least = exact::LeastWeight(row.min_p)](const Candidate& candidate) {
      return candidate.weight < least;
    });
    result.id = Draw(row, candidates);
  }
  if (row.log_probabilities) AddLogProbabilities(logits, *row.log_probabilities, result);
  return result;
}

}  // namespace reference

void Check(const SampleArgs& args) {
  STATELIB_CHECK(args.rows.size() == args.logits.rows && args.results.size() == args.logits.rows);
  STATELIB_CHECK(args.tokens >= 1 && args.tokens <= args.logits.cols);
  STATELIB_CHECK(args.tokens <= kSampleTokensMax && args.logits.dtype == DType::kF32);
  for (const SampleRow& row : args.rows)
    STATELIB_CHECK(row.allowed.empty() || row.allowed.size() * 32 >= args.tokens);
}

void Backend::Sample(const SampleArgs& args) {
  Check(args);
  std::vector<float> logits(args.tokens);
  for (size_t r = 0; r < args.logits.rows; ++r) {
    Download(args.logits.f32() + r * args.logits.stride, logits);
    args.results[r] = reference::Sample(logits, args.rows[r]);
  }
}

}  // namespace statelib::kernels
