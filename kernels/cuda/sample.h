// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_SAMPLE_H_
#define STATELIB_KERNELS_CUDA_SAMPLE_H_

#include <cuda_runtime_api.h>

#include <memory>

#include "kernels/cuda/device.h"
#include "kernels/sampling.h"

/// Backend::Sample on the GPU; the choices are those of kernels/sampling.h.
namespace statelib::kernels::cuda {

/// One sequence's parameters on the device. Lists lie in three arrays that all rows share.
struct DeviceSampleRow {
  float temperature;
  uint32_t top_k;
  double top_p;
  uint64_t least_weight;  // what min-p keeps
  uint64_t seed, position;
  float repetition_penalty, presence_penalty, frequency_penalty;
  uint32_t seen_begin, seen_end, bias_begin, bias_end;
  uint32_t allowed_begin;
  uint32_t is_masked;
  uint32_t wants_log;   // log-probabilities
  uint32_t best_begin;  // of this row's likeliest tokens, of which there is room for best_count
  uint32_t best_count;
};

/// What the kernel finds of a row; the host makes log-probabilities of it.
struct DeviceSampleResult {
  int32_t id;
  uint32_t best_count;
  float logit, largest;  // of the chosen token and of the likeliest one, before penalties
  uint64_t total;        // sum of the weights at temperature 1
};
struct DeviceBestToken {
  int32_t id;
  float logit;
};

struct SampleKernelArgs {
  const float* logits;
  size_t stride;
  unsigned tokens, row_count;
  const DeviceSampleRow* rows;
  const SeenToken* seen;
  const TokenBias* biases;
  const uint32_t* allowed;
  DeviceSampleResult* results;
  DeviceBestToken* best;  // a row's in any order
};

/// So many tokens fit the shared memory of the blocks that share a row.
inline constexpr size_t kSampleKernelTokensMax = size_t{8} * 48 * 1024;

/// Queues the choice of row_count rows.
void LaunchSample(const SampleKernelArgs& args, size_t multiprocessors, cudaStream_t stream);

struct HostDelete {
  void operator()(std::byte* bytes) const { cudaFreeHost(bytes); }
};

/// Brings parameters to the device and choices back. Keeps its memory. One thread at a time.
class Sampler {
 public:
  /// Whether the kernel can choose these rows: at most kSampleKernelTokensMax tokens, and no more
  /// than kBestMax log-probabilities wanted of a row that has more tokens.
  static bool Takes(const SampleArgs& args);

  /// Chooses; waits. Errors: std::bad_alloc, DeviceError.
  void Sample(const SampleArgs& args, size_t multiprocessors);

 private:
  static constexpr size_t kBestMax = 1024;
  struct Layout;

  void Reserve(size_t bytes);

  std::unique_ptr<std::byte, HostDelete> host_;
  DeviceBytes device_;
  size_t bytes_ = 0;  // of each
};

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_SAMPLE_H_
