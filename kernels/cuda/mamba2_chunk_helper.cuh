// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_HELPER_CUH_
#define STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_HELPER_CUH_

#include "kernels/cuda/mamba2_chunk_block.cuh"
#include "kernels/cuda/register_product.cuh"

/// The warps of a block of mamba2_chunk_rows.cu that bring chunks and weigh their tokens.
namespace statelib::kernels::cuda {

/// kHalves: of 64 states.
template <unsigned kHalves>
class HelperThread {
 public:
  /// thread: of its part.
  __device__ __forceinline__ HelperThread(const ChunkBlock& block, unsigned thread)
      : block_(block), thread_(thread) {
    // The upper halves of M, which nothing else writes.
    for (unsigned i = thread; i < ChunkMemory::kStages * ChunkMemory::kWeightBytes / 16; i += kPart)
      WriteShared(block.Weights(0).at + i * 16, uint4{0, 0, 0, 0});
    BringSteps(0);
    Bring(0);
    FinishCopies<0>();
    FenceForTensorCores();
  }

  /// The first chunk's weights, when all of its steps are there.
  __device__ __forceinline__ void Begin() {
    ReadProducts(0);
    MakeWeights(0);
    FenceForTensorCores();
    ReadProducts(1);
  }
  __device__ __forceinline__ void Chunk(unsigned chunk) {
    Bring(chunk + 1);
    if (chunk + 1 < block_.chunks()) MakeWeights(chunk + 1);
    ReadProducts(chunk + 2);  // which arrive while the others work
    FinishCopies<0>();
    FenceForTensorCores();
  }
  __device__ __forceinline__ void Finish() {}

 private:
  // Eight s of a token are a piece of M; rows r and 63 - r have nine pieces up to their diagonals.
  static constexpr unsigned kRowPair = 9, kPieces = kTokens / 2 * kRowPair,
                            kShares = (kPieces + kPart - 1) / kPart;

  /// Begins to bring a chunk and the steps of the one after it.
  __device__ __forceinline__ void Bring(unsigned chunk) const {
    const Mamba2Operands& args = block_.args();
    const BlockChannels& channels = block_.channels();
    if (chunk < block_.chunks()) {
      const ChunkTokens tokens = block_.TokensOf(chunk);
      const size_t state = static_cast<size_t>(channels.group) * args.states;
#pragma unroll
      for (unsigned half = 0; half < kHalves; ++half) {
        const unsigned first = half * 64, columns = min(64u, args.states - first);
        BringTile<kPart>(block_.C(chunk, half), tokens,
                         {args.c + state + first, args.c_stride, nullptr, 0, columns}, thread_);
        BringTile<kPart>(
            block_.B(chunk, half), tokens,
            {args.b + state + first, args.b_stride, block_.state().b + first, args.states, columns},
            thread_);
      }
      BringTile<kPart>(
          block_.X(chunk), tokens,
          {args.x + channels.first, args.x_stride, block_.state().x, args.width, channels.columns},
          thread_);
      if (args.z != nullptr)
        BringTile<kPart>(block_.Z(chunk), tokens,
                         {args.z + channels.first, args.z_stride, nullptr, 0, channels.columns},
                         thread_);
    }
    BringSteps(chunk + 1);
    CommitCopies();
  }
  __device__ __forceinline__ void BringSteps(unsigned chunk) const {
    constexpr unsigned kSixteenBytes = 2 * kTokens / 4;
    if (chunk >= block_.chunks() || thread_ >= kSixteenBytes) return;
    const Mamba2Operands& args = block_.args();
    const float* from =
        args.steps + (block_.SlotOf(chunk) * args.heads + block_.channels().head) * (2 * kTokens);
    CopySixteenBytes(block_.Steps(chunk) + thread_ * 16, from + thread_ * 4, true);
  }

  struct Piece {
    unsigned t, s;
  };
  /// A thread's share of M; the last ones have only some threads.
  __device__ __forceinline__ Piece PieceOf(unsigned share) const {
    const unsigned i = thread_ + share * kPart, row = i / kRowPair, piece = i % kRowPair,
                   of_row = row / 8 + 1;
    return piece < of_row ? Piece{row, piece * 8} : Piece{kTokens - 1 - row, (piece - of_row) * 8};
  }
  __device__ __forceinline__ bool Has(unsigned share) const {
    return thread_ + share * kPart < kPieces;
  }

  __device__ __forceinline__ void ReadProducts(unsigned chunk) {
    if (chunk >= block_.chunks()) return;
    const Mamba2Operands& args = block_.args();
    const float* from =
        args.products +
        (block_.SlotOf(chunk) * args.groups + block_.channels().group) * (kTokens * kTokens);
#pragma unroll
    for (unsigned share = 0; share < kShares; ++share) {
      if (!Has(share)) continue;
      const Piece piece = PieceOf(share);
      const auto* eight = reinterpret_cast<const float4*>(from + piece.t * kTokens + piece.s);
      products_[share][0] = __ldg(eight);
      products_[share][1] = __ldg(eight + 1);
    }
  }

  /// M and the scales of a chunk whose steps are there.
  __device__ __forceinline__ void MakeWeights(unsigned chunk) const {
    const Shared dt = block_.Steps(chunk), cum = dt + kTokens * 4, scales = block_.Scales(chunk);
    const unsigned t = thread_ % kTokens;
    const float cum_t = ReadShared<float>(cum + t * 4);
    if (thread_ < kTokens) {
      WriteShared(scales + t * 4, Ex2(cum_t));
    } else {
      const float last = ReadShared<float>(cum + (kTokens - 1) * 4);
      WriteShared(scales + (kTokens + t) * 4,
                  StateWeight(last, cum_t, ReadShared<float>(dt + t * 4)));
    }
#pragma unroll
    for (unsigned share = 0; share < kShares; ++share) {
      if (!Has(share)) continue;
      const Piece piece = PieceOf(share);
      const float of_t = ReadShared<float>(cum + piece.t * 4);
      const uint2 low = FourWeights(products_[share][0], of_t, dt, piece.s, piece.t),
                  high = FourWeights(products_[share][1], of_t, dt, piece.s + 4, piece.t);
      WriteShared(block_.Weights(chunk).Piece(piece.t, piece.s / 8),
                  uint4{low.x, low.y, high.x, high.y});
    }
  }
  /// dt: where dt [64] and cum [64] lie.
  static __device__ __forceinline__ uint2 FourWeights(float4 products, float cum_t, Shared dt,
                                                      unsigned s, unsigned t) {
    const float4 dt_s = ReadShared<float4>(dt + s * 4),
                 cum_s = ReadShared<float4>(dt + (kTokens + s) * 4);
    const float first = TokenWeight(products.x, cum_t, cum_s.x, dt_s.x),
                second = TokenWeight(products.y, cum_t, cum_s.y, dt_s.y),
                third = TokenWeight(products.z, cum_t, cum_s.z, dt_s.z),
                fourth = TokenWeight(products.w, cum_t, cum_s.w, dt_s.w);
    return {PackBF16(s <= t ? first : 0.0f, s + 1 <= t ? second : 0.0f),
            PackBF16(s + 2 <= t ? third : 0.0f, s + 3 <= t ? fourth : 0.0f)};
  }

  const ChunkBlock& block_;
  const unsigned thread_;
  float4 products_[kShares][2];
};

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_HELPER_CUH_
