// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_BF16_CAUSAL_CONV_H_
#define STATELIB_KERNELS_CUDA_BF16_CAUSAL_CONV_H_

#include <cuda_runtime_api.h>

#include "kernels/cuda/bf16_rows.h"

/// Depthwise causal convolution over bf16 rows, then SiLU; weights and state f32.
///
/// Order of operations, IEEE f32 rounded to nearest, with ex2, rcp and L of mamba1_scan.h:
///   c = bias[e]; for j = 0, 1, … K-1: c = fma(weight[j, e], x[t - (K-1) + j, e], c)
///   out[t, e] = bf16(c * rcp(1 + ex2(-(c * L)))), to nearest, ties to even
/// The K - 1 inputs before a sequence's first row come from its state [K-1, E], oldest first, which
/// is left holding the last K - 1 inputs. So the bits of a row depend on its inputs alone.
namespace statelib::kernels::cuda {

struct BF16CausalConvArgs {
  ConstBF16Rows x;                  // [rows, E]
  const float* weight;              // [K, E]; row K-1 multiplies the newest input
  const float* bias;                // [E]
  size_t channels;                  // E, a multiple of 4
  size_t kernel;                    // K, 2 to 4
  const DeviceSequence* sequences;  // in device memory; states as above
  size_t sequence_count;            // 1 to 65,535
  size_t longest_rows;              // of any sequence, or more: rows past it are left out
  BF16Rows out;                     // [rows, E]; not x
  cudaStream_t stream;
};

/// Queues the convolution in args.stream. Rows of x and out begin on multiples of 8 bytes, weight,
/// bias and states on multiples of 16. Errors: std::runtime_error for an address, a stride or a
/// size that is not as said, or a failed launch.
void LaunchBF16CausalConv(const BF16CausalConvArgs& args);

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_BF16_CAUSAL_CONV_H_
