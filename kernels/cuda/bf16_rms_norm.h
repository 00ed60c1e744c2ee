// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_BF16_RMS_NORM_H_
#define STATELIB_KERNELS_CUDA_BF16_RMS_NORM_H_

#include <cuda_runtime_api.h>

#include "kernels/cuda/bf16_rows.h"

/// RMS norm of the f32 residual stream into bf16 rows.
///
/// Order of operations, IEEE f32 rounded to nearest: chain l of 128 sums the squares of the
/// elements i with i / 4 % 128 = l in ascending order, sum = fma(x, x, sum) from +0; the chains'
/// sums are added by halves, chain l + chain l + 64, then 32, 16, 8, 4, 2, 1; then
///   scale = 1 / sqrt(sum / D + epsilon);  out = bf16((x * scale) * weight), ties to even.
/// So the bits of a row depend on that row alone, and a scalar program can have the same.
namespace statelib::kernels::cuda {

struct BF16RmsNormArgs {
  F32Rows x;            // [rows, D]
  const float* weight;  // [D]
  float epsilon;
  size_t rows;
  size_t columns;  // D, a multiple of 4
  BF16Rows out;    // [rows, D]
  cudaStream_t stream;
};

/// Queues the norm in args.stream. Rows of x and weight begin on multiples of 16 bytes, rows of out
/// on multiples of 8. Errors: std::runtime_error for an address, a stride or a size that is not as
/// said, or a failed launch.
void LaunchBF16RmsNorm(const BF16RmsNormArgs& args);

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_BF16_RMS_NORM_H_
