// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_MAMBA1_SCAN_H_
#define STATELIB_KERNELS_CUDA_MAMBA1_SCAN_H_

#include <cuda_runtime_api.h>

#include "kernels/cuda/bf16_rows.h"

/// Mamba-1's selective scan over bf16 activations with f32 states, D skip and gate. Letters: E
/// d_inner, N d_state.
///
/// Order of operations. Everything is IEEE f32, rounded to nearest, subnormals kept; fma is fused;
/// nothing else is. ex2 and rcp are the card's ex2.approx.ftz.f32 and rcp.approx.ftz.f32: one
/// instruction each, the same bits on every card of compute capability 9.0, within 2 ulp and 1 ulp;
/// ex2 takes subnormal arguments for 0 and gives 0 for results below 2^-126.
///
///   L       = 0x1.715476p+0f, log2(e)
///   A2[n,e] = A[n,e] * L, or -FLT_MAX where that is -infinity
///   dt      = dt_raw[t,e] as it is without a bias; else, with v = dt_raw[t,e] + dt_bias[e] and
///             w = ex2(-(|v| * L)): fma(w, P(w), max(v, 0)), P by Horner's rule of SoftplusTerm,
///             fma
///   s[n]    = fma(ex2(dt * A2[n,e]), s[n], (dt * x) * B[t,n])
///   p[q]    = s[4q] * C[t,4q], then p = fma(s[4q+i], C[t,4q+i], p) for i = 1, 2, 3
///   Y[j]    = (p[4j] + p[4j+1]) + (p[4j+2] + p[4j+3]); p past the last state is +0
///   y       = fma(D[e], x, ((Y[0] + Y[1]) + Y[2]) + …)
///   y[t,e]  = bf16(y * (z * rcp(1 + ex2(-(z * L))))), to nearest, ties to even
///
/// So the bits of a row and of the state after it depend on that sequence's tokens and the state
/// before it alone: not on the cut, the batch, the slot or the kernel. A state's error against
/// exact arithmetic obeys, with decay d = exp(dt * A),
///   error_t <= d * error_{t-1} + |d * s_{t-1}| * (kDecayError + |dt * A| * 2^-22)
///              + |dt * x * B| * 2^-23 + |s_t| * 2^-24 + 2^-126 * |s_{t-1}|.
/// With dt from softplus the time step itself is within kSoftplusError, relative, plus |v| * 2^-22.
namespace statelib::kernels::cuda {

inline constexpr int kSoftplusTerms = 9;
/// log(1 + w) / w on [0, 1], minimax in relative error (3e-8): the factor of w^i.
constexpr float SoftplusTerm(int i) {
  constexpr float kTerms[kSoftplusTerms] = {0x1.fffffep-1f,  -0x1.fffeacp-2f, 0x1.553004p-2f,
                                            -0x1.fcc8c6p-3f, 0x1.874a7ep-3f,  -0x1.17d2bep-3f,
                                            0x1.4069d2p-4f,  -0x1.e369dcp-6f, 0x1.56edf8p-8f};
  return kTerms[i];
}
inline constexpr double kDecayError = 0x1p-22;
inline constexpr double kSoftplusError = 6e-7;

struct Mamba1ScanArgs {
  ConstBF16Rows x;  // [rows, E], after convolution and SiLU
  ConstBF16Rows z;  // [rows, E], the gate before SiLU
  F32Rows dt;       // [rows, E], after softplus; before bias and softplus where there is a bias
  ConstBF16Rows b;  // [rows, N]
  ConstBF16Rows c;  // [rows, N]
  const float* dt_bias;  // [E] or null
  const float* a;        // [N, E], negative
  const float* d;        // [E]
  size_t rows;           // of x, z, dt, b, c and y
  size_t channels;       // E, a multiple of 8
  size_t states;         // N, a multiple of 8 up to 256
  /// In device memory; each has a state [N, E] of its own, aligned to 16 bytes, which is advanced
  /// in place. No row belongs to two of them.
  const DeviceSequence* sequences;
  size_t sequence_count;  // 1 to 65,535
  size_t longest_rows;    // of any sequence; a larger number costs time, a smaller one as well
  BF16Rows y;             // [rows, E]; may be x or z
  size_t multiprocessors;
  cudaStream_t stream;
};

/// Queues the scan in args.stream. x, z, y, b, c and dt begin on multiples of 16 bytes, as every
/// row of them does. Errors: std::runtime_error for an address, a stride or a size that is not as
/// said above, naming it, or a failed launch.
void LaunchMamba1Scan(const Mamba1ScanArgs& args);

/// The two kernels, for tests and benchmarks; the bits are the same and both take any number of
/// rows. kRows divides a sequence's tokens among warps, kFewRows a step's channels and states.
enum class Mamba1Kernel { kRows, kFewRows };
void LaunchMamba1Scan(const Mamba1ScanArgs& args, Mamba1Kernel kernel);

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_MAMBA1_SCAN_H_
