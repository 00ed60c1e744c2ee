// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_MAMBA1_RING_CUH_
#define STATELIB_KERNELS_CUDA_MAMBA1_RING_CUH_

#include "kernels/cuda/bulk_copy.cuh"
#include "kernels/cuda/mamba1_scan.cuh"
#include "kernels/cuda/tensor_boxes.h"

/// What the rings of mamba1_scan_rows.cu work in, and their small steps.
namespace statelib::kernels::cuda {

inline constexpr unsigned kWarp = 32, kAll = 0xffffffff;
inline constexpr unsigned kGroupChannels = 8;  // of a ring
inline constexpr unsigned kLaneBytes = 16;     // four f32

/// A block's rings, and where everything lies in its shared memory, in bytes. kSixteen: there are
/// 16 states, of which the rings share B and C.
template <unsigned kTokensIn, unsigned kWarpsIn, unsigned kGroupsIn, bool kSixteenIn>
struct Ring {
  static constexpr unsigned kTokens = kTokensIn;  // of a tile
  static constexpr unsigned kWarps = kWarpsIn;    // of a ring
  static constexpr unsigned kGroups = kGroupsIn;  // rings
  static constexpr bool kSixteen = kSixteenIn;
  static constexpr unsigned kItems = kTokens / 4;  // tokens of its channel that a lane finishes
  static constexpr unsigned kRoundTokens = kWarps * kTokens;
  static constexpr unsigned kThreads = kGroups * kWarps * kWarp;
  static constexpr unsigned kRounds = kWarps == 4 ? 8 : 4;  // in shared memory
  static constexpr unsigned kAhead = kRounds / 2;           // asked for
  static constexpr unsigned kWidenedAhead = kRounds / 4;
  static constexpr unsigned kCopyingWarps = kSixteen ? 4 : 3;  // of a round

  // A round as it comes: rows of x, z, dt, B and C.
  static constexpr unsigned kRowBytes = kGroups * kGroupChannels * 2;  // of x
  static constexpr unsigned kZ = kRoundTokens * kRowBytes;
  static constexpr unsigned kDt = 2 * kZ;
  static constexpr unsigned kRawStates = 4 * kZ;
  static constexpr unsigned kRawStateBytes = 2 * kBlockStates;  // of a row of B
  static constexpr unsigned kRoundBytes =
      kRawStates + (kSixteen ? 2 * kRoundTokens * kRawStateBytes : 0);
  static_assert(kZ % 128 == 0, "where the copy engine writes");
  // Widened B and C: a tile's [token][B of 16 states, C of 16 states], one for each tile of the
  // rounds; without sharing one a warp.
  static constexpr unsigned kTileBytes = kTokens * 2 * kBlockStates * 4;
  static constexpr unsigned kWidened = kRounds * kRoundBytes;
  static constexpr unsigned kWidenedTiles = kSixteen ? kRounds * kWarps : kGroups * kWarps;
  // dt and dt * x of a warp's tile: [token / 2][channel][two tokens].
  static constexpr unsigned kSteps = kWidened + kWidenedTiles * kTileBytes;
  static constexpr unsigned kStepBytes = kTokens * kGroupChannels * 8;
  // States between two tiles: [group][block of states][lane].
  static constexpr unsigned kStates = kSteps + kGroups * kWarps * kStepBytes;
  static constexpr unsigned kStateBytes = kWarp * kLaneBytes;
  static constexpr unsigned Barriers(unsigned blocks) {
    return kStates + kGroups * blocks * kStateBytes;
  }
  static constexpr unsigned BarrierCount(unsigned blocks) {
    return 2 * kRounds + kRounds * kWarps + kGroups * blocks * kWarps;
  }
  static constexpr size_t Bytes(unsigned blocks) {
    return Barriers(blocks) + BarrierCount(blocks) * Barrier::kBytes;
  }
};

/// Keeps a value in its register: computed once.
__device__ __forceinline__ unsigned Once(unsigned value) {
  asm volatile("" : "+r"(value));
  return value;
}
/// A product that is not moved behind a wait.
__device__ __forceinline__ float ProductNow(float a, float b) {
  float product;
  asm volatile("mul.rn.f32 %0, %1, %2;" : "=f"(product) : "f"(a), "f"(b));
  return product;
}

/// How the copy engine is told of a round.
struct RoundBoxes {
  CUtensorMap x, z, dt, b, c;
};

/// Eight bf16 to shared memory as f32.
__device__ __forceinline__ void PutWidened(std::byte* to, uint4 eight) {
  const auto low = [](unsigned pair) { return __uint_as_float(pair << 16); };
  const auto high = [](unsigned pair) { return __uint_as_float(pair & 0xffff0000u); };
  auto* four = reinterpret_cast<float4*>(to);
  four[0] = {low(eight.x), high(eight.x), low(eight.y), high(eight.y)};
  four[1] = {low(eight.z), high(eight.z), low(eight.w), high(eight.w)};
}

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_MAMBA1_RING_CUH_
