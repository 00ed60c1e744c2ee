// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_WEIGHTS_CUH_
#define STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_WEIGHTS_CUH_

#include "kernels/cuda/mamba2_chunk_block.cuh"
#include "kernels/cuda/register_product.cuh"

/// The warps of a block of mamba2_chunk_rows.cu that make the weights M of a chunk's tokens.
namespace statelib::kernels::cuda {

class WeightThread {
 public:
  /// thread: of its part.
  __device__ __forceinline__ WeightThread(const ChunkBlock& block, unsigned thread)
      : block_(block), thread_(thread) {
    // The upper halves, which nothing else writes.
    constexpr unsigned kSixteenBytes = ChunkMemory::kStages * ChunkMemory::kWeightBytes / 16;
    for (unsigned i = thread; i < kSixteenBytes; i += kPart)
      WriteShared(block.Weights(0).at + i * 16, uint4{0, 0, 0, 0});
    ReadProducts(0);
  }

  /// Those of the first chunk, when its steps are there.
  __device__ __forceinline__ void Begin() {
    Make(0);
    ReadProducts(1);
  }
  __device__ __forceinline__ void Chunk(unsigned chunk) {
    Make(chunk + 1);
    ReadProducts(chunk + 2);  // which arrive while the others work
  }
  __device__ __forceinline__ void Finish() {}

 private:
  /// Asks for what M is made of.
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

  /// M of a chunk, from products that were asked for.
  __device__ __forceinline__ void Make(unsigned chunk) const {
    if (chunk >= block_.chunks()) return;
    const Shared dt = block_.Steps(chunk), cum = dt + kTokens * 4;
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
    FenceForTensorCores();
  }

  // Eight s of a token are a piece of M; rows r and 63 - r have nine pieces up to their
  // diagonals.
  static constexpr unsigned kRowPair = 9, kPieces = kTokens / 2 * kRowPair,
                            kShares = (kPieces + kPart - 1) / kPart;

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

#endif  // STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_WEIGHTS_CUH_
