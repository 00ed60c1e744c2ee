// SPDX-License-Identifier: Apache-2.0
// A thread takes four channels of some rows of a sequence and slides over them with the last inputs
// in registers. The first rows' thread also leaves the new state: nobody else reads the old one.
// Traffic: inputs read once and K - 1 of every kRows a second time, outputs written once.
#include "kernels/cuda/bf16_causal_conv.h"

#include <stdexcept>
#include <string>

#include "kernels/cuda/approximations.cuh"
#include "kernels/cuda/device.h"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kThreads = 128;
constexpr unsigned kRows = 32;       // of a thread
constexpr unsigned kRowsAtOnce = 4;  // read ahead of their use

struct Operands {
  const uint16_t* x;
  uint16_t* out;
  size_t x_stride, out_stride;
  const float *weight, *bias;
  const DeviceSequence* sequences;
  unsigned channels;
};

__device__ __forceinline__ float4 Fma(float4 a, float4 b, float4 c) {
  return {__fmaf_rn(a.x, b.x, c.x), __fmaf_rn(a.y, b.y, c.y), __fmaf_rn(a.z, b.z, c.z),
          __fmaf_rn(a.w, b.w, c.w)};
}

/// The inputs of a sequence in four channels, those before its first row included.
template <unsigned kTaps>
struct Inputs {
  const uint16_t* rows;
  float* state;
  size_t stride;
  unsigned channels;

  __device__ __forceinline__ float4 At(int row) const {
    if (row >= 0) return ReadFourBF16(rows + row * stride);
    return *reinterpret_cast<const float4*>(state + size_t{kTaps - 1 + row} * channels);
  }
  /// In ascending order a saved input moves down before its place is taken.
  __device__ __forceinline__ void LeaveState(unsigned row_count) const {
#pragma unroll
    for (unsigned j = 0; j + 1 < kTaps; ++j) {
      const float4 input = At(static_cast<int>(row_count + j) - static_cast<int>(kTaps - 1));
      *reinterpret_cast<float4*>(state + size_t{j} * channels) = input;
    }
  }
};

template <unsigned kTaps>
__global__ void __launch_bounds__(kThreads) ConvKernel(const __grid_constant__ Operands args) {
  const DeviceSequence sequence = args.sequences[blockIdx.z];
  const unsigned channel = (blockIdx.x * kThreads + threadIdx.x) * 4;
  const unsigned first = blockIdx.y * kRows;
  if (first >= sequence.row_count || channel >= args.channels) return;
  const unsigned end = min(first + kRows, sequence.row_count);
  const Inputs<kTaps> inputs{args.x + sequence.first_row * args.x_stride + channel,
                             sequence.state + channel, args.x_stride, args.channels};
  const float4 bias = *reinterpret_cast<const float4*>(args.bias + channel);
  float4 weight[kTaps], window[kTaps - 1 + kRowsAtOnce];
#pragma unroll
  for (unsigned j = 0; j < kTaps; ++j)
    weight[j] = *reinterpret_cast<const float4*>(args.weight + j * args.channels + channel);
#pragma unroll
  for (unsigned j = 0; j + 1 < kTaps; ++j)
    window[j] = inputs.At(static_cast<int>(first + j) - static_cast<int>(kTaps - 1));
  uint16_t* out = args.out + (size_t{sequence.first_row} + first) * args.out_stride + channel;
  for (unsigned row = first; row < end; row += kRowsAtOnce) {
#pragma unroll
    for (unsigned i = 0; i < kRowsAtOnce; ++i)
      window[kTaps - 1 + i] = inputs.At(static_cast<int>(min(row + i, end - 1)));
#pragma unroll
    for (unsigned i = 0; i < kRowsAtOnce; ++i) {
      float4 sum = bias;
#pragma unroll
      for (unsigned j = 0; j < kTaps; ++j) sum = Fma(weight[j], window[i + j], sum);
      if (row + i < end) {
        WriteFourBF16(out, {FastSilu(sum.x), FastSilu(sum.y), FastSilu(sum.z), FastSilu(sum.w)});
      }
      out += args.out_stride;
    }
#pragma unroll
    for (unsigned j = 0; j + 1 < kTaps; ++j) window[j] = window[kRowsAtOnce + j];
  }
  if (first == 0) inputs.LeaveState(sequence.row_count);
}

void Check(bool holds, const char* what, size_t got) {
  if (!holds)
    throw std::runtime_error(std::string("[cuda] convolution: ") + what + ", got " +
                             std::to_string(got));
}

}  // namespace

void LaunchBF16CausalConv(const BF16CausalConvArgs& args) {
  Check(args.channels > 0 && args.channels % 4 == 0 && args.channels <= (1u << 20),
        "d_inner is a multiple of 4 up to 1,048,576", args.channels);
  Check(args.kernel >= 2 && args.kernel <= 4, "2 to 4 taps", args.kernel);
  Check(args.x.stride % 4 == 0 && args.out.stride % 4 == 0, "strides are multiples of 4",
        args.x.stride % 4 != 0 ? args.x.stride : args.out.stride);
  Check(reinterpret_cast<uintptr_t>(args.x.data) % 8 == 0 &&
            reinterpret_cast<uintptr_t>(args.out.data) % 8 == 0,
        "rows begin on multiples of 8 bytes", reinterpret_cast<uintptr_t>(args.x.data) % 8);
  const Operands operands{
      args.x.data, args.out.data, args.x.stride,  args.out.stride,
      args.weight, args.bias,     args.sequences, static_cast<unsigned>(args.channels)};
  const size_t pieces = (args.longest_rows + kRows - 1) / kRows;
  Check(pieces > 0 && pieces <= 65535, "1 to 2,097,120 rows a sequence", args.longest_rows);
  const dim3 grid(GridX((args.channels / 4 + kThreads - 1) / kThreads), GridY(pieces),
                  GridY(args.sequence_count));
  const auto kernel = args.kernel == 4   ? ConvKernel<4>
                      : args.kernel == 3 ? ConvKernel<3>
                                         : ConvKernel<2>;
  kernel<<<grid, kThreads, 0, args.stream>>>(operands);
  CheckCuda(cudaGetLastError(), "convolution");
}

}  // namespace statelib::kernels::cuda
