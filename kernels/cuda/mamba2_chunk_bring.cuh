// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_BRING_CUH_
#define STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_BRING_CUH_

#include "kernels/cuda/mamba2_chunk_block.cuh"
#include "kernels/cuda/register_product.cuh"

/// The warps of a block of mamba2_chunk_rows.cu that bring chunks.
namespace statelib::kernels::cuda {

/// How the copy engine finds rows: boxes of 64 rows and columns.
struct RowBoxes {
  CUtensorMap x, z, b, c;
};

/// kHalves: of 64 states.
template <unsigned kHalves>
class BringThread {
 public:
  /// thread: of its part.
  __device__ __forceinline__ BringThread(const ChunkBlock& block, const RowBoxes& boxes,
                                         unsigned thread)
      : block_(block), boxes_(boxes), thread_(thread) {
    BringSteps(0);
    Bring(0);
    BringSteps(1);
    CommitCopies();
    FinishCopies<0>();
  }

  /// The first chunk's scales, when all of its steps are there.
  __device__ __forceinline__ void Begin() { MakeScales(0); }
  /// What the chunk after `chunk` needs, and the steps of the one after that.
  __device__ __forceinline__ void Chunk(unsigned chunk) {
    Bring(chunk + 1);
    BringSteps(chunk + 2);
    CommitCopies();
    if (chunk + 1 < block_.chunks()) MakeScales(chunk + 1);
  }
  __device__ __forceinline__ void FinishChunk() const { FinishCopies<0>(); }

 private:
  /// Begins to bring the rows of a chunk; its barrier tells when they are there.
  __device__ __forceinline__ void Bring(unsigned chunk) const {
    if (chunk >= block_.chunks()) return;
    const ChunkTokens tokens = block_.TokensOf(chunk);
    const Barrier barrier = block_.RowsBarrier(chunk);
    // Boxes have whole rows and whole halves; what they bring too much is another sequence's or
    // head's, and of no effect.
    if (tokens.held != 0 || block_.args().states % 64 != 0) {
      Copy(chunk, tokens);
      CommitCopies();
      FinishCopies<0>();
      FenceForTensorCores();
      barrier.Arrive();
    } else if (thread_ == 0) {
      CopyBoxes(chunk, static_cast<unsigned>(tokens.first_row), barrier);
    } else {
      barrier.Arrive();
    }
  }

  __device__ __forceinline__ void CopyBoxes(unsigned chunk, unsigned row, Barrier barrier) const {
    const Mamba2Operands& args = block_.args();
    const BlockChannels& channels = block_.channels();
    const auto channel = static_cast<unsigned>(channels.first);
    const unsigned tiles = 2 * kHalves + (args.z != nullptr ? 2 : 1);
    barrier.ArriveExpecting(tiles * ChunkMemory::kHalfBytes);
#pragma unroll
    for (unsigned half = 0; half < kHalves; ++half) {
      const unsigned state = channels.group * args.states + half * 64;
      CopyBox(block_.C(chunk, half).at, boxes_.c, state, row, barrier);
      CopyBox(block_.B(chunk, half).at, boxes_.b, state, row, barrier);
    }
    CopyBox(block_.X(chunk).at, boxes_.x, channel, row, barrier);
    if (args.z != nullptr) CopyBox(block_.Z(chunk).at, boxes_.z, channel, row, barrier);
  }

  /// The same by all threads, with held tokens and any number of columns.
  __device__ __forceinline__ void Copy(unsigned chunk, const ChunkTokens& tokens) const {
    const Mamba2Operands& args = block_.args();
    const BlockChannels& channels = block_.channels();
    const size_t state = static_cast<size_t>(channels.group) * args.states;
#pragma unroll 1
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
    if (args.z == nullptr) return;
    BringTile<kPart>(block_.Z(chunk), tokens,
                     {args.z + channels.first, args.z_stride, nullptr, 0, channels.columns},
                     thread_);
  }

  __device__ __forceinline__ void BringSteps(unsigned chunk) const {
    constexpr unsigned kSixteenBytes = 2 * kTokens / 4;
    if (chunk >= block_.chunks() || thread_ >= kSixteenBytes) return;
    const Mamba2Operands& args = block_.args();
    const float* from =
        args.steps + (block_.SlotOf(chunk) * args.heads + block_.channels().head) * (2 * kTokens);
    CopySixteenBytes(block_.Steps(chunk) + thread_ * 16, from + thread_ * 4, true);
  }

  /// The scales of a chunk whose steps are there.
  __device__ __forceinline__ void MakeScales(unsigned chunk) const {
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
  }

  const ChunkBlock& block_;
  const RowBoxes& boxes_;
  const unsigned thread_;
};

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_BRING_CUH_
