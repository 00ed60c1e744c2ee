// SPDX-License-Identifier: Apache-2.0
// Of many rows a warp takes each, a lane four chains; of few rows a block, a thread a chain. What
// fits stays in registers between the sum and the scaling; what is beyond is read again out of the
// cache. Traffic: a row read, a row written.
#include "kernels/cuda/bf16_rms_norm.h"

#include <stdexcept>
#include <string>

#include "kernels/cuda/approximations.cuh"
#include "kernels/cuda/device.h"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kWarp = 32, kWarps = 4;
constexpr unsigned kStep = kWarp * 4;  // columns of a warp at once
constexpr unsigned kChains = 4 * kWarp;
constexpr unsigned kAllSteps = kChains * 4;  // columns of a block at once

struct Operands {
  const float* x;
  uint16_t* out;
  size_t x_stride, out_stride, rows;
  const float* weight;
  float epsilon;
  unsigned columns;
};

__device__ __forceinline__ float4 FourAt(const float* from) {
  return *reinterpret_cast<const float4*>(from);
}

__device__ __forceinline__ float AddSquares(float4 x, float sum) {
  sum = __fmaf_rn(x.x, x.x, sum);
  sum = __fmaf_rn(x.y, x.y, sum);
  sum = __fmaf_rn(x.z, x.z, sum);
  return __fmaf_rn(x.w, x.w, sum);
}

__device__ __forceinline__ void Scale(float4 x, float scale, float4 w, uint16_t* out) {
  WriteFourBF16(out,
                {__fmul_rn(__fmul_rn(x.x, scale), w.x), __fmul_rn(__fmul_rn(x.y, scale), w.y),
                 __fmul_rn(__fmul_rn(x.z, scale), w.z), __fmul_rn(__fmul_rn(x.w, scale), w.w)});
}

/// The scale of a row by chains l, l + 32, l + 64 and l + 96 of lane l.
__device__ __forceinline__ float ScaleOf(const Operands& args, const float (&sums)[4]) {
  float sum = __fadd_rn(__fadd_rn(sums[0], sums[2]), __fadd_rn(sums[1], sums[3]));
#pragma unroll
  for (unsigned half = kWarp / 2; half > 0; half /= 2)
    sum = __fadd_rn(sum, __shfl_xor_sync(0xffffffff, sum, half));
  const float mean = __fdiv_rn(sum, static_cast<float>(args.columns));
  return __fdiv_rn(1.0f, __fsqrt_rn(__fadd_rn(mean, args.epsilon)));
}

/// kKept: steps of a row that stay in registers.
template <unsigned kKept>
__global__ void __launch_bounds__(kWarps* kWarp) NormKernel(const __grid_constant__ Operands args) {
  const size_t row = size_t{blockIdx.x} * kWarps + threadIdx.x / kWarp;
  if (row >= args.rows) return;
  const unsigned first = threadIdx.x % kWarp * 4;
  const float* const x = args.x + row * args.x_stride;
  uint16_t* const out = args.out + row * args.out_stride;
  float4 kept[kKept];
#pragma unroll
  for (unsigned i = 0; i < kKept; ++i)
    kept[i] = first + i * kStep < args.columns ? FourAt(x + first + i * kStep) : float4{};
  float sums[4]{};
#pragma unroll
  for (unsigned i = 0; i < kKept; ++i) sums[i % 4] = AddSquares(kept[i], sums[i % 4]);
  for (unsigned i = first + kKept * kStep, chain = kKept; i < args.columns; i += kStep, ++chain) {
#pragma unroll
    for (unsigned at = 0; at < 4; ++at)
      if (chain % 4 == at) sums[at] = AddSquares(FourAt(x + i), sums[at]);
  }
  const float scale = ScaleOf(args, sums);
#pragma unroll
  for (unsigned i = 0; i < kKept; ++i) {
    const unsigned at = first + i * kStep;
    if (at < args.columns) Scale(kept[i], scale, FourAt(args.weight + at), out + at);
  }
  for (unsigned i = first + kKept * kStep; i < args.columns; i += kStep)
    Scale(FourAt(x + i), scale, FourAt(args.weight + i), out + i);
}

constexpr unsigned kKeptOfFew = 5;

__global__ void __launch_bounds__(kChains) FewRowsKernel(const __grid_constant__ Operands args) {
  __shared__ float chains[kChains];
  const unsigned first = threadIdx.x * 4, lane = threadIdx.x % kWarp;
  const float* const x = args.x + blockIdx.x * args.x_stride;
  uint16_t* const out = args.out + blockIdx.x * args.out_stride;
  float4 kept[kKeptOfFew], weight[kKeptOfFew];
#pragma unroll
  for (unsigned i = 0; i < kKeptOfFew; ++i) {
    const unsigned at = first + i * kAllSteps;
    kept[i] = at < args.columns ? FourAt(x + at) : float4{};
    weight[i] = at < args.columns ? FourAt(args.weight + at) : float4{};
  }
  float sum = 0.0f;
#pragma unroll
  for (unsigned i = 0; i < kKeptOfFew; ++i) sum = AddSquares(kept[i], sum);
  for (unsigned i = first + kKeptOfFew * kAllSteps; i < args.columns; i += kAllSteps)
    sum = AddSquares(FourAt(x + i), sum);
  chains[threadIdx.x] = sum;
  __syncthreads();
  const float sums[4] = {chains[lane], chains[lane + 32], chains[lane + 64], chains[lane + 96]};
  const float scale = ScaleOf(args, sums);
#pragma unroll
  for (unsigned i = 0; i < kKeptOfFew; ++i) {
    const unsigned at = first + i * kAllSteps;
    if (at < args.columns) Scale(kept[i], scale, weight[i], out + at);
  }
  for (unsigned i = first + kKeptOfFew * kAllSteps; i < args.columns; i += kAllSteps)
    Scale(FourAt(x + i), scale, FourAt(args.weight + i), out + i);
}

void Check(bool holds, const char* what, size_t got) {
  if (!holds)
    throw std::runtime_error(std::string("[cuda] norm: ") + what + ", got " + std::to_string(got));
}

}  // namespace

void LaunchBF16RmsNorm(const BF16RmsNormArgs& args) {
  Check(args.columns > 0 && args.columns % 4 == 0 && args.columns <= (1u << 20),
        "d_model is a multiple of 4 up to 1,048,576", args.columns);
  Check(args.rows > 0, "at least one row", args.rows);
  Check(args.x.stride % 4 == 0 && args.out.stride % 4 == 0, "strides are multiples of 4",
        args.x.stride % 4 != 0 ? args.x.stride : args.out.stride);
  Check(reinterpret_cast<uintptr_t>(args.x.data) % 16 == 0, "x begins on a multiple of 16 bytes",
        reinterpret_cast<uintptr_t>(args.x.data) % 16);
  Check(reinterpret_cast<uintptr_t>(args.out.data) % 8 == 0, "out begins on a multiple of 8 bytes",
        reinterpret_cast<uintptr_t>(args.out.data) % 8);
  const Operands operands{
      args.x.data, args.out.data, args.x.stride, args.out.stride,
      args.rows,   args.weight,   args.epsilon,  static_cast<unsigned>(args.columns)};
  constexpr size_t kFewRows = 1024;
  if (args.rows <= kFewRows) {
    FewRowsKernel<<<GridX(args.rows), kChains, 0, args.stream>>>(operands);
    CheckCuda(cudaGetLastError(), "norm of few rows");
    return;
  }
  const auto kernel = args.columns <= 8 * kStep ? NormKernel<8> : NormKernel<20>;
  kernel<<<GridX((args.rows + kWarps - 1) / kWarps), kWarps * kWarp, 0, args.stream>>>(operands);
  CheckCuda(cudaGetLastError(), "norm");
}

}  // namespace statelib::kernels::cuda
