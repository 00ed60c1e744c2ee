// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_MAT_MUL_CUH_
#define STATELIB_KERNELS_CUDA_MAT_MUL_CUH_

#include <cuda_pipeline_primitives.h>

#include "kernels/cuda/device_matrix.h"
#include "kernels/cuda/weight_vector.cuh"
#include "kernels/exact/math.h"

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
  bool x_is_aligned;  // rows begin and end on 16 bytes
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
  sum = __fmul_rn(args.epilogue.scale, sum);
  if (args.epilogue.activation == Activation::kSoftplus) sum = exact::Softplus(sum);
  if (args.epilogue.activation == Activation::kSilu) sum = exact::Silu(sum);
  out = args.epilogue.add ? __fadd_rn(out, sum) : sum;
}

/// Begins to bring kBytes to shared memory, or +0 where `valid` is false. A size that is not one of
/// these two would become a jump table, and the copies a chain of jumps.
template <unsigned kBytes>
__device__ __forceinline__ void CopyOrZero(float* to, const float* from, bool valid) {
  const auto shared = static_cast<unsigned>(__cvta_generic_to_shared(to));
  const unsigned bytes = valid ? kBytes : 0;
  if constexpr (kBytes == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared), "l"(from),
                 "r"(bytes));
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared), "l"(from),
                 "r"(bytes));
  }
}

/// A tile of x on its way to shared memory: x[first_row + r, first_input + k] goes to
/// to[r * to_stride + k], +0 where x has no such element.
struct InputTile {
  unsigned first_row, row_count, first_input;
  float* to;
  unsigned to_stride;
};

/// Begins to bring a tile of kInputs columns by kThreads threads, kPiece floats a copy.
template <unsigned kPiece, unsigned kInputs, unsigned kThreads>
__device__ __forceinline__ void BringPieces(const MatMulArgs& args, const InputTile& tile,
                                            unsigned thread) {
  constexpr unsigned kPieces = kInputs / kPiece;
  constexpr unsigned kAcross = kPieces < kThreads ? kPieces : kThreads;
  const float* from = args.x + tile.first_row * args.x_stride + tile.first_input;
#pragma unroll(kPiece == 1 ? 2 : 16)
  for (unsigned first = 0; first < tile.row_count; first += kThreads / kAcross) {
    const unsigned row = first + thread / kAcross;
#pragma unroll
    for (unsigned piece = 0; piece < kPieces; piece += kAcross) {
      const unsigned k = (piece + thread % kAcross) * kPiece;
      if (row < tile.row_count) {
        CopyOrZero<4 * kPiece>(
            tile.to + row * tile.to_stride + k, from + row * args.x_stride + k,
            tile.first_row + row < args.rows && tile.first_input + k < args.inputs);
      }
    }
  }
}

template <unsigned kInputs, unsigned kThreads>
__device__ __forceinline__ void BringInputs(const MatMulArgs& args, const InputTile& tile,
                                            unsigned thread) {
  if (args.x_is_aligned) {
    BringPieces<4, kInputs, kThreads>(args, tile, thread);
  } else {
    BringPieces<1, kInputs, kThreads>(args, tile, thread);
  }
}

/// Rows up to this many stream the weights past the sums of one panel; more rows go in tiles.
inline constexpr size_t kFewRows = 8;

/// Any rows up to kFewRows.
void LaunchFewRows(WeightType type, const MatMulArgs& args);

/// Any number of rows.
void LaunchTiles(WeightType type, const MatMulArgs& args, size_t multiprocessors);

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_MAT_MUL_CUH_
