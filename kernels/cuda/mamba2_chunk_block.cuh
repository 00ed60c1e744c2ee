// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_BLOCK_CUH_
#define STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_BLOCK_CUH_

#include "kernels/cuda/mamba2_chunk.cuh"

/// What the warps of a block of mamba2_chunk_rows.cu share: the memory, the coming of chunks and
/// their weights.
namespace statelib::kernels::cuda {

inline constexpr unsigned kWarp = 32, kTiles = kTileWidth / 16;  // of 16 channels, a warp each
inline constexpr unsigned kPart = kTiles * kWarp;                // threads that do the same work
inline constexpr unsigned kThreads = 4 * kPart;

/// Where everything lies in shared memory, in bytes.
struct ChunkMemory {
  // A chunk's rows, three chunks in turn.
  static constexpr unsigned kC = 0, kB = kTokens * kStatesMax * 2, kX = 2 * kB,
                            kZ = kX + kTokens * kTileWidth * 2, kStageBytes = kZ + (kZ - kX);
  static constexpr unsigned kHalfBytes = kTokens * 64 * 2;  // of C or B: of 64 states
  static constexpr unsigned kStages = 3;
  // S as bf16 [64, N] and M [64, 64], three chunks in turn.
  static constexpr unsigned kStates = kStages * kStageBytes,
                            kStateBytes = kTileWidth * kStatesMax * 2;
  static constexpr unsigned kWeights = kStates + kStages * kStateBytes,
                            kWeightBytes = kTokens * kTokens * 2;
  // ex2(cum) and the weights of x in S, three chunks in turn.
  static constexpr unsigned kScales = kWeights + kStages * kWeightBytes,
                            kScaleBytes = 2 * kTokens * 4;
  // dt and cum, four chunks in turn: they are needed one chunk ahead.
  static constexpr unsigned kSteps = kScales + kStages * kScaleBytes, kStepBytes = 2 * kTokens * 4;
  static constexpr unsigned kStepStages = 4;
  // y of sixteen tokens and channels, of each warp that computes y.
  static constexpr unsigned kOut = kSteps + kStepStages * kStepBytes, kOutBytes = 16 * 16 * 2;
  // One of each chunk's rows.
  static constexpr unsigned kBarriers = kOut + 2 * kTiles * kOutBytes;
  static constexpr unsigned kBytes = kBarriers + kStages * Barrier::kBytes;
};
static_assert(ChunkMemory::kBytes + kSharedAlignment <= 227 << 10);

/// All threads meet at the end of an interval, wherever in the code they are. Who has nothing to
/// wait for only says that it was there.
__device__ __forceinline__ void MeetAfter(unsigned interval) {
  asm volatile("bar.sync %0, %1;" ::"r"(1 + interval % 2), "n"(kThreads) : "memory");
}
__device__ __forceinline__ void PassAfter(unsigned interval) {
  asm volatile("bar.arrive %0, %1;" ::"r"(1 + interval % 2), "n"(kThreads) : "memory");
}

/// How many registers a thread of this part may have; the parts together have four times
/// kRegistersAtFirst, with which each begins.
inline constexpr unsigned kRegistersAtFirst = 65536 / kThreads / 8 * 8;
template <unsigned kRegisters>
__device__ __forceinline__ void TakeRegisters() {
  if constexpr (kRegisters > kRegistersAtFirst) {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
  } else {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
  }
}

class ChunkBlock {
 public:
  using Tile = SharedTile<64>;

  __device__ __forceinline__ ChunkBlock(const Mamba2Operands& args, Shared memory)
      : args_(args),
        sequence_(args.sequences[blockIdx.y]),
        channels_(args, blockIdx.x),
        state_(args, sequence_.state, channels_),
        memory_(memory),
        chunks_(ChunkTokens::ChunksOf(sequence_)),
        first_slot_(sequence_.first_row / kTokens + 2 * blockIdx.y) {}

  __device__ const Mamba2Operands& args() const { return args_; }
  __device__ const BlockChannels& channels() const { return channels_; }
  __device__ const BlockState& state() const { return state_; }
  __device__ unsigned chunks() const { return chunks_; }
  __device__ ChunkTokens TokensOf(unsigned chunk) const { return {sequence_, chunk}; }
  /// Where the chunk stands in the workspace.
  __device__ size_t SlotOf(unsigned chunk) const { return first_slot_ + chunk; }

  /// half: of the states.
  __device__ Tile C(unsigned chunk, unsigned half) const {
    return {Stage(chunk) + ChunkMemory::kC + half * ChunkMemory::kHalfBytes};
  }
  __device__ Tile B(unsigned chunk, unsigned half) const {
    return {Stage(chunk) + ChunkMemory::kB + half * ChunkMemory::kHalfBytes};
  }
  __device__ Tile X(unsigned chunk) const { return {Stage(chunk) + ChunkMemory::kX}; }
  __device__ Tile Z(unsigned chunk) const { return {Stage(chunk) + ChunkMemory::kZ}; }
  __device__ SharedTile<kStatesMax> States(unsigned chunk) const {
    return {memory_ + ChunkMemory::kStates +
            chunk % ChunkMemory::kStages * ChunkMemory::kStateBytes};
  }
  __device__ Tile Weights(unsigned chunk) const {
    return {memory_ + ChunkMemory::kWeights +
            chunk % ChunkMemory::kStages * ChunkMemory::kWeightBytes};
  }
  /// ex2(cum) [64], then the weights of x in S [64].
  __device__ Shared Scales(unsigned chunk) const {
    return memory_ + ChunkMemory::kScales + chunk % ChunkMemory::kStages * ChunkMemory::kScaleBytes;
  }
  /// dt [64], cum [64].
  __device__ Shared Steps(unsigned chunk) const {
    return memory_ + ChunkMemory::kSteps +
           chunk % ChunkMemory::kStepStages * ChunkMemory::kStepBytes;
  }
  /// warp: of those that compute y.
  __device__ Shared Out(unsigned warp) const {
    return memory_ + ChunkMemory::kOut + warp * ChunkMemory::kOutBytes;
  }
  /// Tells when a chunk's rows are there; kPart threads arrive.
  __device__ Barrier RowsBarrier(unsigned chunk) const {
    return {memory_ + ChunkMemory::kBarriers + chunk % ChunkMemory::kStages * Barrier::kBytes};
  }
  __device__ void WaitForRows(unsigned chunk) const {
    RowsBarrier(chunk).Wait(chunk / ChunkMemory::kStages % 2);
  }

  /// What the last chunk leaves to the next call, if its end is not the chunk's. All threads.
  __device__ __forceinline__ void Hold(unsigned& flag) const {
    const unsigned last = chunks_ - 1, end = TokensOf(last).end % kTokens;
    WaitForRows(last);
    HoldTile(X(last), 0, kTokens, end, state_.x, args_.width, channels_.columns);
    if (threadIdx.x < 2 * kTokens) {
      const bool is_there = threadIdx.x % kTokens < end;
      state_.steps[threadIdx.x] =
          is_there ? ReadShared<float>(Steps(last) + threadIdx.x * 4) : 0.0f;
    }
    if (!IsLastOfGroup(args_, channels_.group, flag)) return;
    for (unsigned first = 0; first < args_.states; first += 64) {
      HoldTile(B(last, first / 64), 0, kTokens, end, state_.b + first, args_.states,
               min(64u, args_.states - first));
    }
  }

 private:
  __device__ Shared Stage(unsigned chunk) const {
    return memory_ + chunk % ChunkMemory::kStages * ChunkMemory::kStageBytes;
  }
  const Mamba2Operands& args_;
  const ChunkedSequence sequence_;
  const BlockChannels channels_;
  const BlockState state_;
  const Shared memory_;
  const unsigned chunks_;
  const size_t first_slot_;
};

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_BLOCK_CUH_
