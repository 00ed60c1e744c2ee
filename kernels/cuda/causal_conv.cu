// SPDX-License-Identifier: Apache-2.0
// Causal convolution: one block takes 32 channels of one sequence, all its rows, so that the state
// is read by every row that needs it before the block replaces it. A warp takes every 16th row, its
// lanes are channels; the K inputs of an output come from the first cache, which K outputs share.
// Traffic: the inputs read once, the outputs written once, the state read and written.
#include "kernels/cuda/launches.h"
#include "kernels/cuda/sequences.cuh"
#include "kernels/exact/math.h"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kChannels = 32;
constexpr unsigned kRowsAtOnce = 16;

struct ConvArgs {
  const float* x;
  size_t x_stride;
  float* out;
  size_t out_stride;
  const float* weight;
  const float* bias;
  unsigned channels, kernel;
};

/// Input `row` of a sequence; the K - 1 rows before its first one lie in its state.
__device__ __forceinline__ float InputAt(const ConvArgs& args, const Sequence& sequence,
                                         unsigned kernel, int row, unsigned channel) {
  if (row >= 0) return args.x[(sequence.first_row + row) * args.x_stride + channel];
  return sequence
      .state[static_cast<size_t>(static_cast<int>(kernel) - 1 + row) * args.channels + channel];
}

/// kTaps: the kernel's size, or 0 to take args.kernel.
template <unsigned kTaps>
__global__ void __launch_bounds__(kChannels* kRowsAtOnce)
    CausalConvKernel(ConvArgs args, Sequences sequences) {
  const Sequence sequence = sequences.At(blockIdx.y);
  const unsigned kernel = kTaps > 0 ? kTaps : args.kernel;
  const unsigned channel = blockIdx.x * kChannels + threadIdx.x;
  const bool inside = channel < args.channels;
  if (inside) {
    for (unsigned t = threadIdx.y; t < sequence.row_count; t += kRowsAtOnce) {
      float sum = args.bias[channel];
#pragma unroll
      for (unsigned j = 0; j < kernel; ++j) {
        const int row = static_cast<int>(t + j) - static_cast<int>(kernel - 1);
        sum = __fmaf_rn(args.weight[j * args.channels + channel],
                        InputAt(args, sequence, kernel, row, channel), sum);
      }
      args.out[(sequence.first_row + t) * args.out_stride + channel] = exact::Silu(sum);
    }
  }
  __syncthreads();
  if (!inside || threadIdx.y != 0) return;
  // In ascending order a saved input moves down before its place is taken.
  for (unsigned j = 0; j + 1 < kernel; ++j) {
    const int row = static_cast<int>(sequence.row_count + j) - static_cast<int>(kernel - 1);
    sequence.state[j * args.channels + channel] = InputAt(args, sequence, kernel, row, channel);
  }
}

}  // namespace

void LaunchCausalConv(const CausalConvArgs& args) {
  const ConvArgs conv{args.x.f32(),
                      args.x.stride,
                      args.out.f32(),
                      args.out.stride,
                      args.weight,
                      args.bias,
                      static_cast<unsigned>(args.x.cols),
                      static_cast<unsigned>(args.kernel)};
  const auto kernel = args.kernel == 4 ? CausalConvKernel<4> : CausalConvKernel<0>;
  const dim3 grid(GridX((args.x.cols + kChannels - 1) / kChannels), GridY(args.sequences.count));
  kernel<<<grid, dim3(kChannels, kRowsAtOnce), 0, kStream>>>(conv,
                                                             Sequences(args.sequences, args.state));
  CheckCuda(cudaGetLastError(), "causal_conv");
}

}  // namespace statelib::kernels::cuda
