// SPDX-License-Identifier: Apache-2.0
// Mamba-1's scan over a few rows, as decoding has them: the states pass by once, at the rate of the
// memory. A block takes some channels of one sequence, its four warps the four quarters of each 16
// states; their sums meet in shared memory. Traffic: the states read and written once a row where
// there are more than 16 of them, once a call else.
#include "kernels/cuda/device.h"
#include "kernels/cuda/mamba1_scan.cuh"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kWarp = 32, kQuarters = kBlockStates / kLaneStates;

/// f32 or bf16 of neighbouring channels, read at once.
template <unsigned kChannels>
struct alignas(4 * kChannels) Floats {
  float at[kChannels];
};
template <unsigned kChannels>
struct alignas(2 * kChannels) Halves {
  uint16_t at[kChannels];
};
template <unsigned kChannels>
__device__ __forceinline__ Floats<kChannels>& FloatsAt(float* from) {
  return *reinterpret_cast<Floats<kChannels>*>(from);
}
template <unsigned kChannels>
__device__ __forceinline__ const Floats<kChannels>& FloatsAt(const float* from) {
  return *reinterpret_cast<const Floats<kChannels>*>(from);
}

/// kChannels: of a lane.
template <unsigned kChannels>
__global__ void __launch_bounds__(kWarp* kQuarters)
    Mamba1FewRowsKernel(const __grid_constant__ Mamba1Operands args) {
  constexpr unsigned kBlockChannels = kWarp * kChannels;
  extern __shared__ float4 shared_memory[];
  float* const sums = reinterpret_cast<float*>(shared_memory);  // [block][quarter][channel]
  const DeviceSequence sequence = args.sequences[blockIdx.y];
  const unsigned lane = threadIdx.x % kWarp, quarter = threadIdx.x / kWarp;
  const unsigned first = blockIdx.x * kBlockChannels;
  const unsigned channel = first + lane * kChannels;
  const bool is_inside = channel < args.channels;
  for (size_t row = sequence.first_row; row < size_t{sequence.first_row} + sequence.row_count;
       ++row) {
    if (is_inside) {
      Floats<kChannels> dt = FloatsAt<kChannels>(args.dt + row * args.dt_stride + channel), dtx;
      const auto x =
          *reinterpret_cast<const Halves<kChannels>*>(args.x + row * args.x_stride + channel);
#pragma unroll
      for (unsigned e = 0; e < kChannels; ++e) {
        if (args.dt_bias != nullptr)
          dt.at[e] = TimeStep(__fadd_rn(dt.at[e], args.dt_bias[channel + e]));
        dtx.at[e] = __fmul_rn(dt.at[e], FromBF16(x.at[e]));
      }
      for (unsigned block = 0; block < args.state_blocks; ++block) {
        const unsigned state = block * kBlockStates + quarter * kLaneStates;
        Floats<kChannels> p{};
        if (state < args.states) {
          const uint16_t* const b = args.b + row * args.b_stride + state;
          const uint16_t* const c = args.c + row * args.c_stride + state;
          Floats<kChannels> a[kLaneStates], s[kLaneStates];
#pragma unroll
          for (unsigned i = 0; i < kLaneStates; ++i) {
            const size_t at = static_cast<size_t>(state + i) * args.channels + channel;
            s[i] = FloatsAt<kChannels>(sequence.state + at);
            a[i] = FloatsAt<kChannels>(args.a + at);
          }
#pragma unroll
          for (unsigned i = 0; i < kLaneStates; ++i) {
            const float b_now = FromBF16(b[i]), c_now = FromBF16(c[i]);
#pragma unroll
            for (unsigned e = 0; e < kChannels; ++e) {
              const float decay = Ex2(__fmul_rn(dt.at[e], ScaledA(a[i].at[e])));
              s[i].at[e] = __fmaf_rn(decay, s[i].at[e], __fmul_rn(dtx.at[e], b_now));
              p.at[e] =
                  i == 0 ? __fmul_rn(s[i].at[e], c_now) : __fmaf_rn(s[i].at[e], c_now, p.at[e]);
            }
            FloatsAt<kChannels>(sequence.state + static_cast<size_t>(state + i) * args.channels +
                                channel) = s[i];
          }
        }
        FloatsAt<kChannels>(sums + (block * kQuarters + quarter) * kBlockChannels +
                            lane * kChannels) = p;
      }
    }
    __syncthreads();
    const unsigned own = first + threadIdx.x;
    if (threadIdx.x < kBlockChannels && own < args.channels) {
      float y = 0.0f;
      for (unsigned block = 0; block < args.state_blocks; ++block) {
        const float* p = sums + block * kQuarters * kBlockChannels + threadIdx.x;
        const float sum = __fadd_rn(__fadd_rn(p[0], p[kBlockChannels]),
                                    __fadd_rn(p[2 * kBlockChannels], p[3 * kBlockChannels]));
        y = block == 0 ? sum : __fadd_rn(y, sum);
      }
      args.y[row * args.y_stride + own] =
          Finish(y, args.d[own], FromBF16(args.x[row * args.x_stride + own]),
                 FromBF16(args.z[row * args.z_stride + own]));
    }
    __syncthreads();
  }
}

template <unsigned kChannels>
void Launch(const Mamba1Operands& operands, const Mamba1ScanArgs& args) {
  constexpr unsigned kBlockChannels = kWarp * kChannels;
  const dim3 grid(GridX((args.channels + kBlockChannels - 1) / kBlockChannels),
                  GridY(args.sequence_count));
  const size_t shared_bytes =
      size_t{operands.state_blocks} * kQuarters * kBlockChannels * sizeof(float);
  Mamba1FewRowsKernel<kChannels><<<grid, kWarp * kQuarters, shared_bytes, args.stream>>>(operands);
  CheckCuda(cudaGetLastError(), "mamba-1 scan of few rows");
}

}  // namespace

void LaunchMamba1FewRows(const Mamba1Operands& operands, const Mamba1ScanArgs& args) {
  // Where channels are few, more threads keep more on its way.
  constexpr size_t kManyChannels = 65536;
  if (args.channels * args.sequence_count < kManyChannels) {
    Launch<1>(operands, args);
  } else {
    Launch<4>(operands, args);
  }
}

}  // namespace statelib::kernels::cuda
