// SPDX-License-Identifier: Apache-2.0
// What the heads of a group share in a chunk of Mamba-2's scan, the products of C and B, and the
// time steps of all heads, ahead of mamba2_chunk_rows.cu. One block a chunk and group, and one for
// the chunk's time steps. Traffic: B and C read once, 16 kB a chunk and group written, which stay
// in the second cache.
#include "kernels/cuda/device.h"
#include "kernels/cuda/mamba2_chunk.cuh"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kThreads = 256, kWarp = 32;
constexpr unsigned kStepsAhead = 16;  // tokens whose dt a thread asks for at once

/// dt and cum of a chunk's tokens, a head a thread.
__device__ __forceinline__ void MakeSteps(const Mamba2Operands& args,
                                          const ChunkedSequence& sequence,
                                          const ChunkTokens& tokens, size_t slot) {
  for (unsigned head = threadIdx.x; head < args.heads; head += kThreads) {
    const HeadSteps steps(args, head);
    const auto* held = reinterpret_cast<const float*>(sequence.state + args.dt_offset) +
                       static_cast<size_t>(head) * args.tiles * (2 * kTokens);
    const float* raw =
        args.dt_raw + tokens.first_row * static_cast<ptrdiff_t>(args.dt_stride) + head;
    float* to = args.steps + (slot * args.heads + head) * (2 * kTokens);
    float cum = 0.0f;
    for (unsigned first = 0; first < kTokens; first += kStepsAhead) {
      float dt[kStepsAhead], cums[kStepsAhead];
#pragma unroll
      for (unsigned i = 0; i < kStepsAhead; ++i) {
        const unsigned t = first + i;
        dt[i] = t < tokens.held  ? held[t]
                : t < tokens.end ? raw[t * static_cast<ptrdiff_t>(args.dt_stride)]
                                 : 0.0f;
      }
#pragma unroll
      for (unsigned i = 0; i < kStepsAhead; ++i) {
        const unsigned t = first + i;
        if (t >= tokens.held && t < tokens.end) dt[i] = steps.Dt(dt[i]);
        cum = cums[i] = t < tokens.end ? steps.Add(cum, dt[i]) : cum;
      }
#pragma unroll
      for (unsigned i = 0; i < kStepsAhead; i += 4) {
        *reinterpret_cast<float4*>(to + first + i) = {dt[i], dt[i + 1], dt[i + 2], dt[i + 3]};
        *reinterpret_cast<float4*>(to + kTokens + first + i) = {cums[i], cums[i + 1], cums[i + 2],
                                                                cums[i + 3]};
      }
    }
  }
}

/// C[t] · B[s] of sixteen t and sixteen s.
__device__ __forceinline__ void Multiply(const SharedTile<kStatesMax>& c,
                                         const SharedTile<kStatesMax>& b, unsigned t, unsigned s,
                                         unsigned states, float* to) {
  float low[4] = {}, high[4] = {};
#pragma unroll
  for (unsigned n = 0; n < kStatesMax; n += 16) {
    if (n >= states) break;
    uint32_t first[4], seconds[4];
    c.ReadFirst(first, t, n);
    b.ReadSeconds(seconds, s, n);
    WarpMultiply(low, first, seconds[0], seconds[1]);
    WarpMultiply(high, first, seconds[2], seconds[3]);
  }
  const unsigned lane = threadIdx.x % kWarp;
  float* at = to + (t + lane / 4) * kTokens + s + lane % 4 * 2;
  *reinterpret_cast<float2*>(at) = {low[0], low[1]};
  *reinterpret_cast<float2*>(at + 8) = {high[0], high[1]};
  at += 8 * kTokens;
  *reinterpret_cast<float2*>(at) = {low[2], low[3]};
  *reinterpret_cast<float2*>(at + 8) = {high[2], high[3]};
}

__global__ void __launch_bounds__(kThreads)
    Mamba2ProductsKernel(const __grid_constant__ Mamba2Operands args) {
  __shared__ __align__(128) std::byte memory[2 * kTokens * kStatesMax * 2];
  const ChunkedSequence sequence = args.sequences[blockIdx.y];
  if (sequence.row_count == 0 || blockIdx.x >= ChunkTokens::ChunksOf(sequence)) return;
  const ChunkTokens tokens(sequence, blockIdx.x);
  const size_t slot = sequence.first_row / kTokens + 2 * blockIdx.y + blockIdx.x;
  const unsigned group = blockIdx.z;
  if (group == args.groups) return MakeSteps(args, sequence, tokens, slot);

  const auto at = static_cast<Shared>(__cvta_generic_to_shared(memory));
  const SharedTile<kStatesMax> c{at}, b{at + kTokens * kStatesMax * 2};
  const size_t column = static_cast<size_t>(group) * args.states;
  const auto* held = reinterpret_cast<const uint16_t*>(sequence.state + args.b_offset) +
                     static_cast<size_t>(group) * kTokens * args.states;
  BringTile<kThreads>(c, tokens, {args.c + column, args.c_stride, nullptr, 0, args.states},
                      threadIdx.x);
  BringTile<kThreads>(b, tokens, {args.b + column, args.b_stride, held, args.states, args.states},
                      threadIdx.x);
  CommitCopies();
  FinishCopies<0>();
  __syncthreads();
  const unsigned warp = threadIdx.x / kWarp, t = warp / 2 * 16;
  float* to = args.products + (slot * args.groups + group) * (kTokens * kTokens);
  for (unsigned s = warp % 2 * 16; s <= t; s += 32) Multiply(c, b, t, s, args.states, to);
}

}  // namespace

void LaunchMamba2ChunkProducts(const Mamba2Operands& operands, const Mamba2ChunkScanArgs& args) {
  const size_t chunks = (args.longest_rows + 2 * (kChunkTokens - 1)) / kChunkTokens;
  const dim3 grid(GridX(chunks), GridY(args.sequence_count), operands.groups + 1);
  Mamba2ProductsKernel<<<grid, kThreads, 0, args.stream>>>(operands);
  CheckCuda(cudaGetLastError(), "mamba-2 chunk products");
}

}  // namespace statelib::kernels::cuda
