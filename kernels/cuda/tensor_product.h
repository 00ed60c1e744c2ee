// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_TENSOR_PRODUCT_H_
#define STATELIB_KERNELS_CUDA_TENSOR_PRODUCT_H_

#include <cstdint>

#include "kernels/cuda/tensor_matrix.h"

/// Matrix products of bf16 weights and inputs with f32 sums on Hopper's tensor cores.
///
/// Order of sums: the inputs of an output are cut into chains of kChainInputs, the last one
/// shorter. The tensor core adds sixteen inputs at a time to a chain's sum, which begins at +0
/// (kernels/reference/tensor_sum.h has that step in scalar code); the chains' sums are added in
/// order in f32, each addition rounded to nearest: ((+0 + c0) + c1) + … So the bits of an output
/// depend on its row of x and its weights alone: not on the number of rows, the kernel, the tile or
/// the multiprocessors. Inputs past the last one count as +0.
namespace statelib::kernels::cuda {

inline constexpr size_t kChainInputs = 256;
/// The kernel for few rows takes up to this many.
inline constexpr size_t kTensorFewRows = 8;

/// bf16 inputs in device memory: row t begins at data + t * stride. All of rows * stride may be
/// read.
struct TensorInput {
  const uint16_t* data;  ///< aligned to 16 bytes
  size_t rows;
  size_t cols;
  size_t stride;  ///< in elements: a multiple of 8, at least cols
};

/// Results in device memory: f32, or bf16 rounded to nearest with ties to even.
struct TensorOutput {
  void* data;
  bool is_bf16;
  size_t rows;
  size_t cols;
  size_t stride;  ///< in elements, at least cols
};

/// Whether this build's tensor-core kernels can run on the current device: compute capability 9.0.
bool HasTensorCodeForDevice();

/// out[t, n] = epilogue(sum over k of weights[n, k] * x[t, k], plus bias[n] where bias is not
/// null), queued in `stream`. Any number of rows from 1, of outputs from 1, of inputs from 1. Best
/// with out and bias aligned to 16 bytes and out's stride a multiple of 4; else only slower. kAdd
/// and kSoftplus are for f32 results; kSoftplus takes a second pass over them. Errors:
/// DeviceError for an input that is not aligned as said above, kAdd or kSoftplus into bf16, another
/// epilogue,
/// more than 2^31 - 1 rows, inputs or outputs, or a failed launch.
void LaunchTensorProduct(const TensorMatrix& weights, const float* bias, const TensorInput& x,
                         Epilogue epilogue, const TensorOutput& out, size_t multiprocessors,
                         cudaStream_t stream);

/// One product as the kernels take it. LaunchTensorProduct checks and chooses; what follows is for
/// it and for its tests and benchmarks, which ask for one kernel. They finish kSoftplus as kStore.
struct TensorProductArgs {
  const TensorMatrix& weights;
  const float* bias;
  const TensorInput& x;
  Epilogue epilogue;
  const TensorOutput& out;
  size_t multiprocessors;
  cudaStream_t stream;
  size_t chain_inputs = kChainInputs;  ///< a multiple of 64; another number gives other bits
};

/// Tiles of rows by outputs. Tall ones are fastest where there are enough of them.
enum class TensorTile { k64x64, k128x64, k128x128, k128x192 };

void LaunchTensorTiles(const TensorProductArgs& args, TensorTile tile);

/// Up to kTensorFewRows rows, every weight read once. Returns false, and queues nothing, where the
/// sums of so many chains do not fit in shared memory.
bool LaunchTensorFewRows(const TensorProductArgs& args);

/// out = softplus(out), f32.
void LaunchSoftplus(const TensorOutput& out, cudaStream_t stream);

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_TENSOR_PRODUCT_H_
