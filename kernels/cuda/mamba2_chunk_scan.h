// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_SCAN_H_
#define STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_SCAN_H_

#include <cuda_runtime_api.h>

#include "kernels/cuda/bf16_rows.h"

/// Mamba-2's scan over bf16 activations with f32 states on Hopper's tensor cores, with D skip and
/// gate where they are wanted. Letters: H heads of P channels, E = H * P, N states a channel, G
/// groups; head h has B and C of group h / (H / G).
///
/// The tokens of a sequence form chunks of 64 by their positions: token t of a chunk stands at a
/// position that is t modulo 64. The state proper, S, is that before the chunk; a sequence's state
/// holds S and what the scan needs of the chunk's tokens so far. So tokens may come one at a time
/// or by thousands: a row of y and the state after it have bits that the sequence's tokens and
/// positions fix, not the cut, the batch, the slot or the kernel. Source: Dao & Gu 2024, section 6,
/// with chunks in absolute positions.
///
/// Order of operations, for token t of a chunk, s its tokens up to t. Everything is IEEE f32,
/// rounded to nearest, subnormals kept; fma is fused; nothing else is. ex2 is the card's
/// ex2.approx.ftz.f32, L log2(e); (as in mamba1_scan.h, which has softplus and the gate too).
/// T(v; a, b) is v after the tensor core has added a[k] * b[k] to it, sixteen k at a time, from k =
/// 0 on (kernels/reference/tensor_sum.h has that step); a and b are bf16.
///
///   dt[t]    = clamp(softplus(dt_raw[t,h] + dt_bias[h]), dt_min, dt_max)
///   cum[t]   = cum[t-1] + max(dt[t] * (A[h] * L), -160), cum[-1] = 0
///   M[t,s]   = bf16((T(0; C[t], B[s]) * ex2(cum[t] - cum[s])) * dt[s]), 0 for s > t
///   y        = T(T(0; C[t], bf16(S[h,p])) * ex2(cum[t]); M[t], x[p]), the second over the whole
///              sixteens up to that of t
///   y        = fma(D[e], x[t,e], y) where there is D
///   y        = y * (z * rcp(1 + ex2(-(z * L)))) where there is z
///   y[t,e]   = bf16(y), to nearest, ties to even
///
/// and after token 63, with v[s] = (ex2(cum[63] - cum[s]) * dt[s]) * x[s,p], high = bf16(v) and low
/// = bf16(v - high), the tensor core adding for each sixteen s first high, then low:
///
///   S[h,n,p] = fma(ex2(cum[63]), S[h,n,p], T(0; high and low, B[n]))
///
/// Errors against exact arithmetic: ex2(cum[t] - cum[s]) is within |cum[t]| * 2^-18 + 2^-21,
/// relative, and softplus within kSoftplusError plus |v| * 2^-22. S of a chunk has, beside what
/// decay leaves of the error before, that of its decays, 2^-15 of each |v * B| and 2^-24 of |S|; y
/// has, beside the errors of S and of the decays, 2^-8 + 2^-14 of the sum of its terms' magnitudes,
/// for S and M are rounded to bf16, and 2^-8 of |y|.
namespace statelib::kernels::cuda {

inline constexpr size_t kChunkTokens = 64;
inline constexpr size_t kChunkStatesMax = 128;

/// The rows of a ragged batch that belong to one sequence, its position and its state.
struct ChunkedSequence {
  uint32_t first_row;
  uint32_t row_count;  ///< 0: nothing is done for it
  uint64_t position;   ///< how many tokens it has read before
  std::byte* state;    ///< Mamba2ChunkShape::StateBytes() of them, aligned to 16, advanced in place
};

struct Mamba2ChunkShape {
  size_t heads;   // H
  size_t width;   // P, a multiple of 8
  size_t states;  // N, a multiple of 8 up to kChunkStatesMax
  size_t groups;  // G, a divisor of H

  /// A head's channels are computed in tiles of 64.
  size_t TilesOfHead() const { return (width + 63) / 64; }
  /// Where the parts of a sequence's state begin, in bytes. Tokens that the chunk has not got yet
  /// are zero; so is the state of a sequence without tokens.
  size_t XOffset() const { return heads * states * width * 4; }  // after S [H, N, P] f32
  size_t BOffset() const { return XOffset() + heads * kChunkTokens * width * 2; }
  size_t DtOffset() const { return BOffset() + groups * kChunkTokens * states * 2; }
  /// x [H, 64, P] bf16, B [G, 64, N] bf16, and of each tile of a head dt [64] and cum [64] f32.
  size_t StateBytes() const { return DtOffset() + heads * TilesOfHead() * kChunkTokens * 8; }
  /// Scratch memory for many rows.
  size_t WorkspaceBytes(size_t rows, size_t sequences) const {
    const size_t chunks = rows / kChunkTokens + 2 * sequences;
    return chunks * kChunkTokens * 4 * (groups * kChunkTokens + heads * 2);
  }
};

struct Mamba2ChunkScanArgs {
  ConstBF16Rows x;       // [rows, E], after convolution and SiLU
  ConstBF16Rows z;       // [rows, E], the gate before SiLU; data null: no gate
  F32Rows dt_raw;        // [rows, H]
  ConstBF16Rows b;       // [rows, G * N]
  ConstBF16Rows c;       // [rows, G * N]
  const float* dt_bias;  // [H]
  const float* a;        // [H], negative
  const float* d;        // [E], or null: no skip
  float dt_min, dt_max;
  Mamba2ChunkShape shape;
  size_t rows;  // of x, z, dt_raw, b, c and y
  /// In device memory, in the order of their rows, which do not overlap.
  const ChunkedSequence* sequences;
  size_t sequence_count;  // 1 to 65,535
  size_t longest_rows;    // at least the rows of any sequence
  BF16Rows y;             // [rows, E]; may be x or z
  std::byte* workspace;  // shape.WorkspaceBytes(rows, sequence_count), aligned to 16, contents free
  /// [sequence_count * G], zero before a call and after it.
  uint32_t* counters;
  cudaStream_t stream;
};

/// Queues the scan in args.stream. x, z, y, b and c begin on multiples of 16 bytes, as every row of
/// them does. Errors: std::runtime_error for an address, a stride or a size that is not as said
/// above, naming it, or a failed launch.
void LaunchMamba2ChunkScan(const Mamba2ChunkScanArgs& args);

/// The two kernels, for tests and benchmarks; the bits are the same and both take any number of
/// rows. kRows takes a chunk at a time, kFewRows a token.
enum class Mamba2Kernel { kRows, kFewRows };
void LaunchMamba2ChunkScan(const Mamba2ChunkScanArgs& args, Mamba2Kernel kernel);

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_SCAN_H_
