// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CPU_ROW_SAMPLER_H_
#define STATELIB_KERNELS_CPU_ROW_SAMPLER_H_

#include <span>
#include <vector>

#include "kernels/cpu/cpu_kernels.h"
#include "kernels/sampling.h"

namespace statelib::kernels {

/// Chooses a token of a row of logits without sorting the row. The places where top-k and top-p cut
/// are found among the k likeliest where these are few, else in a histogram of the weights, whose
/// buckets are ranges of 1/32 of a power of two; only the bucket that is cut is sorted. Tokens
/// without a weight are never drawn, so no filter needs them. Keeps its memory, about 20 bytes a
/// token. One thread at a time.
class RowSampler {
 public:
  /// Before rows of so many tokens. Errors: std::bad_alloc.
  void Reserve(size_t tokens);

  /// logits: [tokens], at most as many as were reserved. result.best has room for as many as are
  /// asked for or as there are tokens. Throws nothing.
  void Choose(const CpuKernels& kernels, std::span<const float> logits, const SampleRow& row,
              SampleResult& result);

 private:
  /// The bucket with which the amounts, from the likeliest on, reach a target, and those before it.
  struct Boundary {
    size_t bucket;
    uint64_t before;
  };

  int32_t Draw(const CpuKernels& kernels, std::span<const float> x, float largest,
               const SampleRow& row);
  int32_t DrawFromFew(const CpuKernels& kernels, std::span<const float> x, float largest,
                      const SampleRow& row);
  int32_t DrawFromAll(size_t tokens, const SampleRow& row) const;
  int32_t DrawFromKept(uint64_t least, const SampleRow& row) const;
  void FillHistogram(size_t tokens);
  static Boundary Reach(const std::vector<uint64_t>& amounts, uint64_t target);
  void KeepBuckets(size_t tokens, size_t last);
  template <typename Amount>
  void CutBucket(std::span<const float> x, const Boundary& boundary, uint64_t target,
                 const Amount& amount);
  void FindLikeliest(const CpuKernels& kernels, std::span<const float> x, size_t count);
  void AddLogProbabilities(const CpuKernels& kernels, std::span<const float> logits,
                           SampleResult& result);

  std::vector<float> x_;            // [tokens], logits after penalties, biases and mask
  std::vector<float> e_;            // [tokens], probability relative to the likeliest
  std::vector<uint64_t> sums_;      // [blocks], of weights
  std::vector<int32_t> kept_;       // room for [tokens], in the order of ids
  std::vector<int32_t> likeliest_;  // room for [tokens]
  std::vector<uint64_t> counts_;    // [buckets], of tokens
  std::vector<uint64_t> weights_;   // [buckets], sums
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_CPU_ROW_SAMPLER_H_
