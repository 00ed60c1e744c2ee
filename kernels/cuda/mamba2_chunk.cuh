// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_CUH_
#define STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_CUH_

#include "kernels/cuda/mamba1_scan.cuh"
#include "kernels/cuda/mamba2_chunk_operands.h"
#include "kernels/cuda/warp_product.cuh"

/// The steps of mamba2_chunk_scan.h, which its kernels share.
namespace statelib::kernels::cuda {

inline constexpr float kLeastLogDecay = -160.0f;  // of a token; 2^-160 is 0

/// A head's time steps.
struct HeadSteps {
  float bias, scaled_a, least, largest;

  __device__ HeadSteps(const Mamba2Operands& args, unsigned head)
      : bias(args.dt_bias[head]),
        scaled_a(ScaledA(args.a[head])),
        least(args.dt_min),
        largest(args.dt_max) {}

  __device__ __forceinline__ float Dt(float raw) const {
    const float dt = TimeStep(__fadd_rn(raw, bias));
    return dt < least ? least : dt > largest ? largest : dt;
  }
  /// cum of a token of this dt.
  __device__ __forceinline__ float Add(float cum, float dt) const {
    const float log_decay = __fmul_rn(dt, scaled_a);
    return __fadd_rn(cum, log_decay < kLeastLogDecay ? kLeastLogDecay : log_decay);
  }
};

/// M[t,s] before it is rounded.
__device__ __forceinline__ float TokenWeight(float product, float cum_t, float cum_s, float dt_s) {
  return __fmul_rn(__fmul_rn(product, Ex2(__fsub_rn(cum_t, cum_s))), dt_s);
}
/// What x[s] is multiplied with on its way into S.
__device__ __forceinline__ float StateWeight(float cum_last, float cum_s, float dt_s) {
  return __fmul_rn(Ex2(__fsub_rn(cum_last, cum_s)), dt_s);
}

__device__ __forceinline__ uint32_t PackBF16(float low, float high) {
  const __nv_bfloat162 both = __floats2bfloat162_rn(low, high);
  return reinterpret_cast<const uint32_t&>(both);
}
__device__ __forceinline__ float LowBF16(uint32_t both) { return __uint_as_float(both << 16); }
__device__ __forceinline__ float HighBF16(uint32_t both) {
  return __uint_as_float(both & 0xffff0000u);
}

/// Two x times their weights as sums of two bf16.
__device__ __forceinline__ void SplitWeighted(uint32_t x, float2 weights, uint32_t& high,
                                              uint32_t& low) {
  const float first = __fmul_rn(weights.x, LowBF16(x)), second = __fmul_rn(weights.y, HighBF16(x));
  high = PackBF16(first, second);
  low = PackBF16(__fsub_rn(first, LowBF16(high)), __fsub_rn(second, HighBF16(high)));
}

/// Two results out of their sums: the skip, and the gate.
__device__ __forceinline__ float2 Skip(float2 sums, float2 d, uint32_t x) {
  return {__fmaf_rn(d.x, LowBF16(x), sums.x), __fmaf_rn(d.y, HighBF16(x), sums.y)};
}
__device__ __forceinline__ float2 Gate(float2 y, uint32_t z) {
  return {__fmul_rn(y.x, FastSilu(LowBF16(z))), __fmul_rn(y.y, FastSilu(HighBF16(z)))};
}

/// Which channels a block computes.
struct BlockChannels {
  unsigned head, tile, group;
  unsigned columns;  // of the tile, up to 64
  size_t first;      // channel of E

  __device__ BlockChannels(const Mamba2Operands& args, unsigned block)
      : head(block / args.tiles),
        tile(block % args.tiles),
        group(head / args.heads_of_group),
        columns(min(kTileWidth, args.width - tile * kTileWidth)),
        first(static_cast<size_t>(head) * args.width + tile * kTileWidth) {}
};

/// Where the parts of a sequence's state lie that concern a block.
struct BlockState {
  float* s;      // [N, P] from the tile's first channel on
  uint16_t* x;   // [64, P] likewise
  uint16_t* b;   // [64, N]
  float* steps;  // dt [64], cum [64]

  __device__ BlockState(const Mamba2Operands& args, std::byte* state, const BlockChannels& block)
      : s(reinterpret_cast<float*>(state) +
          static_cast<size_t>(block.head) * args.states * args.width + block.tile * kTileWidth),
        x(reinterpret_cast<uint16_t*>(state + args.x_offset) +
          static_cast<size_t>(block.head) * kTokens * args.width + block.tile * kTileWidth),
        b(reinterpret_cast<uint16_t*>(state + args.b_offset) +
          static_cast<size_t>(block.group) * kTokens * args.states),
        steps(reinterpret_cast<float*>(state + args.dt_offset) +
              static_cast<size_t>(block.head * args.tiles + block.tile) * (2 * kTokens)) {}
};

/// The tokens of a chunk: those before `held` are in the state, those from `end` on are not there,
/// the others are rows.
struct ChunkTokens {
  unsigned held, end;
  ptrdiff_t first_row;  // token t is row first_row + t

  __device__ ChunkTokens(const ChunkedSequence& sequence, unsigned chunk) {
    const unsigned all_held = sequence.position % kTokens;
    held = chunk == 0 ? all_held : 0;
    end = min(kTokens, all_held + sequence.row_count - chunk * kTokens);
    first_row = static_cast<ptrdiff_t>(sequence.first_row) + chunk * kTokens - all_held;
  }
  static __device__ unsigned ChunksOf(const ChunkedSequence& sequence) {
    return (static_cast<unsigned>(sequence.position % kTokens) + sequence.row_count + kTokens - 1) /
           kTokens;
  }
};

/// Some columns of rows, and where those of held tokens are; null: zero.
struct TileSource {
  const uint16_t* rows;
  size_t stride;
  const uint16_t* held;
  unsigned held_stride;
  unsigned columns;
};

/// Begins to bring a chunk's tokens; what is not there is zero. thread: one of kThreads that do.
template <unsigned kThreads, unsigned kColumns>
__device__ __forceinline__ void BringTile(const SharedTile<kColumns>& tile,
                                          const ChunkTokens& tokens, const TileSource& source,
                                          unsigned thread) {
  constexpr unsigned kPieces = kColumns / 8, kRows = kThreads / kPieces;
  static_assert(kRows % 8 == 0, "a thread's pieces are swizzled alike");
  if (tokens.held == 0 && tokens.end == kTokens && source.columns == kColumns) {
    const unsigned t = thread / kPieces, piece = thread % kPieces;
    const Shared to = tile.Piece(t, piece);
    const uint16_t* from = source.rows + (tokens.first_row + t) * source.stride + piece * 8;
#pragma unroll
    for (unsigned i = 0; i < kTokens / kRows; ++i, from += kRows * source.stride)
      CopySixteenBytes(to + i * kRows * tile.kPitch, from, true);
    return;
  }
#pragma unroll 1
  for (unsigned i = thread; i < kTokens * kPieces; i += kThreads) {
    const unsigned t = i / kPieces, piece = i % kPieces;
    const bool is_held = t < tokens.held;
    const bool is_there =
        piece * 8 < source.columns && t < tokens.end && !(is_held && source.held == nullptr);
    const uint16_t* from = is_held ? source.held + t * source.held_stride
                                   : source.rows + (tokens.first_row + t) * source.stride;
    CopySixteenBytes(tile.Piece(t, piece), is_there ? from + piece * 8 : source.rows, is_there);
  }
}

/// Writes tokens begin to last - 1 of a tile as held ones; those from `end` on are zeros.
template <unsigned kColumns>
__device__ __forceinline__ void HoldTile(const SharedTile<kColumns>& tile, unsigned begin,
                                         unsigned last, unsigned end, uint16_t* to, unsigned stride,
                                         unsigned columns) {
  constexpr unsigned kPieces = kColumns / 8;
  for (unsigned i = begin * kPieces + threadIdx.x; i < last * kPieces; i += blockDim.x) {
    const unsigned t = i / kPieces, piece = i % kPieces;
    if (piece * 8 >= columns) continue;
    const uint4 eight = t < end ? ReadShared<uint4>(tile.Piece(t, piece)) : uint4{0, 0, 0, 0};
    *reinterpret_cast<uint4*>(to + static_cast<size_t>(t) * stride + piece * 8) = eight;
  }
}

/// Whether this is the last block of its group and sequence to come here; then no other one reads
/// the held B any more. All threads; `flag`: a word of shared memory.
__device__ __forceinline__ bool IsLastOfGroup(const Mamba2Operands& args, unsigned group,
                                              unsigned& flag) {
  __syncthreads();
  if (threadIdx.x == 0) {
    uint32_t& counter = args.counters[blockIdx.y * args.groups + group];
    __threadfence();
    flag = atomicAdd(&counter, 1) == args.heads_of_group * args.tiles - 1 ? 1 : 0;
    if (flag != 0) counter = 0;
  }
  __syncthreads();
  return flag != 0;
}

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_CUH_
