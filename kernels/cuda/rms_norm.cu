// SPDX-License-Identifier: Apache-2.0
// RMS norm: one block a row. The sum of squares is 16 interleaved chains, as the profile says, so
// 16 lanes walk the row; the whole block brings it to shared memory for them, a tile at a time, and
// scales it afterwards out of the cache. Traffic: a row read, a row written. Time: a chain of
// cols / 16 multiply-adds, 4 cycles each.
#include "kernels/cuda/launches.h"
#include "kernels/cuda/sequences.cuh"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kChains = 16;
constexpr unsigned kTile = 4096;  // floats

/// Adds a tile's squares to lane i's chain of elements i, i + 16, …
__device__ float AddSquares(const float* tile, size_t count, float sum) {
  size_t i = threadIdx.x;
#pragma unroll 16
  for (; i < count; i += kChains) sum = __fmaf_rn(tile[i], tile[i], sum);
  return sum;
}

/// One row, by the whole block.
__device__ void NormRow(const float* from, size_t cols, const float* weight, float epsilon,
                        float* to) {
  __shared__ float tile[kTile];
  __shared__ float shared_scale;
  float sum = 0.0f;
  for (size_t first = 0; first < cols; first += kTile) {
    const size_t count = cols - first < kTile ? cols - first : kTile;
    for (size_t i = threadIdx.x; i < count; i += kThreads) tile[i] = from[first + i];
    __syncthreads();
    if (threadIdx.x < kChains) sum = AddSquares(tile, count, sum);
    __syncthreads();
  }
  if (threadIdx.x < kChains) {
    constexpr unsigned kLanes = 0xffff;
#pragma unroll
    for (unsigned half = kChains / 2; half > 0; half /= 2)
      sum = __fadd_rn(sum, __shfl_down_sync(kLanes, sum, half, kChains));
    if (threadIdx.x == 0) {
      const float mean = __fdiv_rn(sum, static_cast<float>(cols));
      shared_scale = __fdiv_rn(1.0f, __fsqrt_rn(__fadd_rn(mean, epsilon)));
    }
  }
  __syncthreads();
  const float scale = shared_scale;
  for (size_t i = threadIdx.x; i < cols; i += kThreads)
    to[i] = __fmul_rn(__fmul_rn(from[i], scale), weight[i]);
}

__global__ void __launch_bounds__(kThreads)
    RmsNormKernel(ConstRows x, const float* weight, float epsilon, Rows out) {
  NormRow(x.f32() + blockIdx.x * x.stride, x.cols, weight, epsilon,
          out.f32() + blockIdx.x * out.stride);
}

__global__ void __launch_bounds__(kThreads)
    RmsNormLastKernel(ConstRows x, const float* weight, float epsilon, Sequences sequences) {
  const Sequence sequence = sequences.At(blockIdx.x);
  const size_t last = sequence.first_row + sequence.row_count - 1;
  NormRow(x.f32() + last * x.stride, x.cols, weight, epsilon, sequence.state);
}

__global__ void __launch_bounds__(kThreads) GatherKernel(Sequences sequences, Rows out) {
  const float* from = sequences.At(blockIdx.x).state;
  float* to = out.f32() + blockIdx.x * out.stride;
  for (size_t i = threadIdx.x; i < out.cols; i += kThreads) to[i] = from[i];
}

}  // namespace

bool HasCodeForDevice() {
  cudaFuncAttributes attributes;
  const bool has = cudaFuncGetAttributes(&attributes, RmsNormKernel) == cudaSuccess;
  cudaGetLastError();  // a refusal is an answer here
  return has;
}

void LaunchRmsNorm(ConstRows x, const float* weight, float epsilon, Rows out) {
  RmsNormKernel<<<GridX(x.rows), kThreads, 0, kStream>>>(x, weight, epsilon, out);
  CheckCuda(cudaGetLastError(), "rms_norm");
}

void LaunchRmsNormLast(ConstRows x, const float* weight, float epsilon,
                       const SequenceTable& sequences, size_t state) {
  RmsNormLastKernel<<<GridX(sequences.count), kThreads, 0, kStream>>>(x, weight, epsilon,
                                                                      Sequences(sequences, state));
  CheckCuda(cudaGetLastError(), "rms_norm of last rows");
}

void LaunchGatherState(const SequenceTable& sequences, size_t state, Rows out) {
  GatherKernel<<<GridX(sequences.count), kThreads, 0, kStream>>>(Sequences(sequences, state), out);
  CheckCuda(cudaGetLastError(), "gather");
}

}  // namespace statelib::kernels::cuda
