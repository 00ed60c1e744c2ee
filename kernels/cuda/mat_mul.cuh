// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_MAT_MUL_CUH_
#define STATELIB_KERNELS_CUDA_MAT_MUL_CUH_

#include <cuda_pipeline_primitives.h>

#include "kernels/cuda/device_matrix.h"
#include "kernels/cuda/weight_vector.cuh"
#include "kernels/reference/math.h"

/// What the two kernels of a matrix product share. In both, one thread holds an output's sum from
/// the first input to the last: sum = fma(w[k], x[k], sum) for k = 0, 1, 2, …
namespace statelib::kernels::cuda {

/// Shapes: weights [panels][vectors][32] of 16 bytes, x [rows, inputs], out [rows, outputs].
struct MatMulArgs {
  const uint4* weights;
  size_t vectors;
  unsigned panels;
  const float* bias;  // [outputs], or null
  const float* x;
  size_t x_stride;
  bool x_is_aligned;  // every row begins on 16 bytes
  float* out;
  size_t out_stride;
  unsigned rows, inputs, outputs;
  Epilogue epilogue;
};

/// Stores the finished sum of one output.
__device__ __forceinline__ void StoreSum(const MatMulArgs& args, unsigned row, unsigned output,
                                         float sum) {
  if (row >= args.rows || output >= args.outputs) return;
  float& out = args.out[row * args.out_stride + output];
  if (args.bias != nullptr) sum = __fadd_rn(sum, args.bias[output]);
  if (args.epilogue == Epilogue::kAdd) sum = __fadd_rn(out, sum);
  if (args.epilogue == Epilogue::kSoftplus) sum = reference::Softplus(sum);
  out = sum;
}

/// Begins to bring x[row, first .. first + 3] to shared memory; +0 where x has no such element.
__device__ __forceinline__ void BringInputs(const MatMulArgs& args, unsigned row, unsigned first,
                                            float* to) {
  const unsigned left = row < args.rows && first < args.inputs ? args.inputs - first : 0;
  const float* from = left > 0 ? args.x + row * args.x_stride + first : args.x;
  if (args.x_is_aligned) {
    __pipeline_memcpy_async(to, from, 16, left >= 4 ? 0 : 16 - 4 * left);
    return;
  }
#pragma unroll
  for (unsigned i = 0; i < 4; ++i)
    __pipeline_memcpy_async(to + i, i < left ? from + i : args.x, 4, i < left ? 0 : 4);
}

/// Rows up to this many stream the weights past the sums of one panel; more rows go in tiles.
inline constexpr size_t kFewRows = 16;

/// Any rows up to kFewRows.
void LaunchFewRows(DType dtype, const MatMulArgs& args);

/// Any number of rows.
void LaunchTiles(DType dtype, const MatMulArgs& args, size_t multiprocessors);

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_MAT_MUL_CUH_
