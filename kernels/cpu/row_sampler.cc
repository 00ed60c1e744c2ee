// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/row_sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "kernels/exact/sample_math.h"
#include "kernels/reference/sample.h"

namespace statelib::kernels {

using exact::WeightOf;

namespace {

// From 1 down to 2^-38, whose weight is 1.
constexpr uint32_t kOneBits = std::bit_cast<uint32_t>(1.0f),
                   kLeastBits = std::bit_cast<uint32_t>(0x1p-38f);
constexpr int kBucketShift = 18;  // 2^5 buckets for a power of two
constexpr size_t kBuckets = ((kOneBits - kLeastBits) >> kBucketShift) + 1;

/// Likelier tokens are in lower buckets; tokens without a weight in kBuckets or behind it.
size_t BucketOf(float e) { return (kOneBits - std::bit_cast<uint32_t>(e)) >> kBucketShift; }

/// The least float that is no less than `weight` / 2^38.
float LeastRelative(uint64_t weight) {
  const double exact = static_cast<double>(weight) * 0x1p-38;
  const auto least = static_cast<float>(exact);
  return least < exact ? std::nextafter(least, 2.0f) : least;
}

// Up to here looking for the likeliest is faster than a histogram.
constexpr uint32_t kFewTokens = 256;

size_t BlocksOf(size_t tokens) { return (tokens + kWeighBlock - 1) / kWeighBlock; }

}  // namespace

void RowSampler::Reserve(size_t tokens) {
  if (x_.size() >= tokens) return;
  e_.resize(tokens);
  sums_.resize(BlocksOf(tokens));
  kept_.reserve(tokens);
  likeliest_.reserve(tokens);
  counts_.resize(kBuckets);
  weights_.resize(kBuckets);
  x_.resize(tokens);
}

void RowSampler::Choose(const CpuKernels& kernels, std::span<const float> logits,
                        const SampleRow& row, SampleResult& result) {
  std::span<const float> x = logits;
  if (!row.seen.empty() || !row.biases.empty() || !row.allowed.empty()) {
    const std::span<float> adjusted(x_.data(), logits.size());
    std::copy(logits.begin(), logits.end(), adjusted.begin());
    reference::AdjustLogits(row, adjusted);
    x = adjusted;
  }
  const float largest = kernels.largest_logit(x.data(), x.size());
  const size_t likeliest = kernels.index_of_logit(x.data(), x.size(), largest);
  if (likeliest == x.size()) {
    result.id = -1;
    result.best.clear();
    return;
  }
  result.id = row.temperature == 0 || row.top_k == 1 ? static_cast<int32_t>(likeliest)
                                                     : Draw(kernels, x, largest, row);
  if (row.log_probabilities) AddLogProbabilities(kernels, logits, result);
}

int32_t RowSampler::Draw(const CpuKernels& kernels, std::span<const float> x, float largest,
                         const SampleRow& row) {
  if (row.top_k > 0 && row.top_k <= kFewTokens) return DrawFromFew(kernels, x, largest, row);
  const bool cuts = row.top_k > 0 || row.top_p < 1;
  const uint64_t least = exact::LeastWeight(row.min_p);
  const LogitScale scale{largest, 1.0f / row.temperature, cuts ? 0.0f : LeastRelative(least)};
  kernels.weigh_logits(scale, x.data(), x.size(), e_.data(), sums_.data());
  if (!cuts) return DrawFromAll(x.size(), row);
  FillHistogram(x.size());
  const auto to_reach = [&] {
    return exact::WeightToReach(row.top_p,
                                std::accumulate(weights_.begin(), weights_.end(), uint64_t{0}));
  };
  const auto weight = [&](int32_t id) { return WeightOf(e_[static_cast<size_t>(id)]); };
  if (row.top_k > 0) {
    const Boundary boundary = Reach(counts_, row.top_k);
    KeepBuckets(x.size(), boundary.bucket);
    CutBucket(x, boundary, row.top_k, [](int32_t) { return uint64_t{1}; });
  } else {
    KeepBuckets(x.size(), Reach(weights_, to_reach()).bucket);
  }
  if (row.top_p < 1) {
    const uint64_t target = to_reach();
    CutBucket(x, Reach(weights_, target), target, weight);
  }
  return DrawFromKept(least, row);
}

/// Where top-k leaves so few that nothing else needs to be weighed.
int32_t RowSampler::DrawFromFew(const CpuKernels& kernels, std::span<const float> x, float largest,
                                const SampleRow& row) {
  FindLikeliest(kernels, x, row.top_k);
  const float inverse = 1.0f / row.temperature;
  uint64_t total = 0;
  for (const int32_t id : likeliest_) {
    const auto i = static_cast<size_t>(id);
    e_[i] = exact::RelativeProbability(x[i], largest, inverse);
    total += WeightOf(e_[i]);
  }
  const uint64_t target = exact::WeightToReach(row.top_p, total);
  uint64_t reached = 0;
  kept_.clear();
  for (size_t i = 0; reached < target; ++i) {
    kept_.push_back(likeliest_[i]);
    reached += WeightOf(e_[static_cast<size_t>(likeliest_[i])]);
  }
  std::sort(kept_.begin(), kept_.end());
  return DrawFromKept(exact::LeastWeight(row.min_p), row);
}

/// The first token, in the order of ids, with which the sum of the weights exceeds what was drawn.
int32_t RowSampler::DrawFromAll(size_t tokens, const SampleRow& row) const {
  const uint64_t* const sums = sums_.data();
  const uint64_t total = std::accumulate(sums, sums + BlocksOf(tokens), uint64_t{0});
  const uint64_t to_exceed = exact::WeightToExceed(row.seed, row.position, total);
  uint64_t sum = 0;
  size_t block = 0;
  while (sum + sums[block] <= to_exceed) sum += sums[block++];
  size_t i = block * kWeighBlock;
  while ((sum += WeightOf(e_[i])) <= to_exceed) ++i;
  return static_cast<int32_t>(i);
}

int32_t RowSampler::DrawFromKept(uint64_t least, const SampleRow& row) const {
  const auto weight = [&](int32_t id) {
    const uint64_t all = WeightOf(e_[static_cast<size_t>(id)]);
    return all < least ? 0 : all;
  };
  uint64_t total = 0;
  for (const int32_t id : kept_) total += weight(id);
  const uint64_t to_exceed = exact::WeightToExceed(row.seed, row.position, total);
  uint64_t sum = 0;
  size_t i = 0;
  while ((sum += weight(kept_[i])) <= to_exceed) ++i;
  return kept_[i];
}

void RowSampler::FillHistogram(size_t tokens) {
  std::fill(counts_.begin(), counts_.end(), 0);
  std::fill(weights_.begin(), weights_.end(), 0);
  for (size_t i = 0; i < tokens; ++i) {
    const size_t bucket = BucketOf(e_[i]);
    if (bucket >= kBuckets) continue;
    ++counts_[bucket];
    weights_[bucket] += WeightOf(e_[i]);
  }
}

RowSampler::Boundary RowSampler::Reach(const std::vector<uint64_t>& amounts, uint64_t target) {
  Boundary boundary{0, 0};
  while (boundary.bucket < amounts.size() && boundary.before + amounts[boundary.bucket] < target)
    boundary.before += amounts[boundary.bucket++];
  return boundary;
}

/// Lists the tokens of the buckets up to `last`.
void RowSampler::KeepBuckets(size_t tokens, size_t last) {
  last = std::min(last, kBuckets - 1);
  kept_.clear();
  for (size_t i = 0; i < tokens; ++i)
    if (BucketOf(e_[i]) <= last) kept_.push_back(static_cast<int32_t>(i));
}

/// Leaves the likeliest tokens whose amounts together reach `target`, and their weights.
template <typename Amount>
void RowSampler::CutBucket(std::span<const float> x, const Boundary& boundary, uint64_t target,
                           const Amount& amount) {
  if (boundary.bucket == kBuckets) return;  // all of them do not
  const auto bucket = [&](int32_t id) { return BucketOf(e_[static_cast<size_t>(id)]); };
  const auto is_likelier = [&](int32_t a, int32_t b) {
    const float left = x[static_cast<size_t>(a)], right = x[static_cast<size_t>(b)];
    return left != right ? left > right : a < b;
  };
  likeliest_.clear();
  for (const int32_t id : kept_)
    if (bucket(id) == boundary.bucket) likeliest_.push_back(id);
  std::sort(likeliest_.begin(), likeliest_.end(), is_likelier);
  uint64_t reached = boundary.before, weight = 0;
  size_t keep = 0;
  while (reached < target) {
    const int32_t id = likeliest_[keep++];
    reached += amount(id);
    weight += WeightOf(e_[static_cast<size_t>(id)]);
  }
  const int32_t last = likeliest_[keep - 1];
  std::erase_if(kept_, [&](int32_t id) {
    return bucket(id) > boundary.bucket || (bucket(id) == boundary.bucket && is_likelier(last, id));
  });
  weights_[boundary.bucket] = weight;
  std::fill(weights_.begin() + static_cast<ptrdiff_t>(boundary.bucket) + 1, weights_.end(), 0);
}

void RowSampler::AddLogProbabilities(const CpuKernels& kernels, std::span<const float> logits,
                                     SampleResult& result) {
  const float largest = kernels.largest_logit(logits.data(), logits.size());
  kernels.weigh_logits({largest, 1.0f, 0.0f}, logits.data(), logits.size(), e_.data(),
                       sums_.data());
  const uint64_t* const sums = sums_.data();
  const uint64_t total = std::accumulate(sums, sums + BlocksOf(logits.size()), uint64_t{0});
  const auto value = [&](int32_t id) {
    return exact::LogProbability(logits[static_cast<size_t>(id)], largest, total);
  };
  result.log_probability = value(result.id);
  FindLikeliest(kernels, logits, result.best.size());
  result.best.resize(likeliest_.size());
  std::transform(likeliest_.begin(), likeliest_.end(), result.best.begin(), [&](int32_t id) {
    return TokenLogProbability{id, value(id)};
  });
}

/// Lists the `count` likeliest of x, likeliest first; fewer where fewer are numbers.
void RowSampler::FindLikeliest(const CpuKernels& kernels, std::span<const float> x, size_t count) {
  likeliest_.clear();
  if (count == 0) return;
  const auto is_likelier = [&](int32_t a, int32_t b) {
    const float left = x[static_cast<size_t>(a)], right = x[static_cast<size_t>(b)];
    return left != right ? left > right : a < b;
  };
  size_t i = 0;
  for (; i < x.size() && likeliest_.size() < count; ++i)
    if (!std::isnan(x[i])) likeliest_.push_back(static_cast<int32_t>(i));
  // A heap with the least likely in front. A later token must be larger to take its place: of equal
  // ones the smaller id is likelier.
  std::make_heap(likeliest_.begin(), likeliest_.end(), is_likelier);
  const auto next = [&] {
    const float least = x[static_cast<size_t>(likeliest_.front())];
    return kernels.index_of_logit_above(x.data(), i, x.size(), least);
  };
  for (; likeliest_.size() == count && (i = next()) < x.size(); ++i) {
    std::pop_heap(likeliest_.begin(), likeliest_.end(), is_likelier);
    likeliest_.back() = static_cast<int32_t>(i);
    std::push_heap(likeliest_.begin(), likeliest_.end(), is_likelier);
  }
  std::sort_heap(likeliest_.begin(), likeliest_.end(), is_likelier);
}

}  // namespace statelib::kernels
