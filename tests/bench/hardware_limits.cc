// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/hardware_limits.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "kernels/aligned.h"
#include "kernels/cpu/thread_pool.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/bench/hardware_limits.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::bench::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr size_t kChains = 12;  // independent sums, enough to hide the latency of an operation

/// Returns the multiply-adds of one call; `sink` keeps the compiler from leaving them out.
size_t MultiplyAdds(size_t rounds, float* sink) {
  const hn::ScalableTag<float> d;
  hn::Vec<decltype(d)> sums[kChains];
  const auto factor = hn::Set(d, 0.999f), addend = hn::Set(d, 0.001f);
  for (auto& sum : sums) sum = factor;
  for (size_t i = 0; i < rounds; ++i) {
    HWY_UNROLL(12)
    for (size_t c = 0; c < kChains; ++c) sums[c] = hn::MulAdd(sums[c], factor, addend);
  }
  auto total = hn::Zero(d);
  for (auto& sum : sums) total = hn::Add(total, sum);
  *sink = hn::GetLane(total);
  return rounds * kChains * hn::Lanes(d);
}

/// Reads whole blocks of eight vectors.
void Read(const float* from, size_t floats, float* sink) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  hn::Vec<decltype(d)> sums[8];
  for (auto& sum : sums) sum = hn::Zero(d);
  for (size_t i = 0; i + 8 * lanes <= floats; i += 8 * lanes) {
    HWY_UNROLL(8)
    for (size_t c = 0; c < 8; ++c) sums[c] = hn::Add(sums[c], hn::Load(d, from + i + c * lanes));
  }
  auto total = hn::Zero(d);
  for (auto& sum : sums) total = hn::Add(total, sum);
  *sink = hn::GetLane(total);
}

}  // namespace statelib::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace statelib::bench {

HWY_EXPORT(MultiplyAdds);
HWY_EXPORT(Read);

namespace {

using kernels::Part;
using kernels::PartOf;
using kernels::ThreadPool;

/// The best rate of several passes of `pass`, which returns the work it did.
template <typename Pass>
double BestRate(int passes, const Pass& pass) {
  double best = 0;
  for (int i = 0; i < passes; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const double work = pass();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    best = std::max(best, work / took.count());
  }
  return best;
}

}  // namespace

double MeasureMultiplyAddsPerSecond(int threads) {
  ThreadPool pool(threads);
  return BestRate(5, [&] {
    size_t done = 0;
    pool.Run(false, [&](size_t share, size_t) {
      float sink;
      const size_t count = HWY_DYNAMIC_DISPATCH(MultiplyAdds)(2000000, &sink);
      if (share == 0) done = count;
    });
    return static_cast<double>(done * pool.size());
  });
}

double MeasureReadBytesPerSecond(int threads, size_t bytes) {
  ThreadPool pool(threads);
  const size_t floats = bytes / sizeof(float);
  kernels::Buffer buffer = kernels::AllocateHostBuffer(floats);
  std::memset(buffer.data(), 1, floats * sizeof(float));
  const int passes =
      static_cast<int>(std::clamp<size_t>((size_t{4} << 30) / std::max<size_t>(bytes, 1), 5, 200));
  return BestRate(passes, [&] {
    pool.Run(false, [&](size_t share, size_t shares) {
      float sink;
      const Part part = PartOf(floats, 1024, share, shares);
      HWY_DYNAMIC_DISPATCH(Read)(buffer.data() + part.begin, part.end - part.begin, &sink);
    });
    return static_cast<double>(floats * sizeof(float));
  });
}

}  // namespace statelib::bench
#endif
