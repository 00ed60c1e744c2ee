// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_SCAN_TILE_CUH_
#define STATELIB_KERNELS_CUDA_SCAN_TILE_CUH_

#include <cuda_pipeline_primitives.h>

#include "kernels/cuda/launches.h"
#include "kernels/cuda/sequences.cuh"
#include "kernels/exact/math.h"

/// What the scans share. In both, several lanes share a channel and each holds some of its states;
/// y travels along them (selective_scan.cu tells how). What a lane needs for a token is read and
/// computed one step ahead, without branches, so that at each step only the chain of y is waited
/// for.
namespace statelib::kernels::cuda {

inline constexpr unsigned kScanThreads = 128;
inline constexpr unsigned kWarpLanes = 32;

/// Begins to bring `count` rows of kWidth floats to shared memory, the whole block together.
/// Columns past the last are those of the last: computed with, never stored.
template <unsigned kWidth>
__device__ __forceinline__ void BringTile(float* to, unsigned to_stride, const float* from,
                                          size_t from_stride, unsigned count,
                                          unsigned columns_left) {
  for (unsigned i = threadIdx.x; i < count * kWidth; i += kScanThreads) {
    const unsigned t = i / kWidth, column = i % kWidth;
    __pipeline_memcpy_async(to + t * to_stride + column,
                            from + t * from_stride + min(column, columns_left - 1), 4);
  }
}

/// Stores a tile of y, gated: y * silu(z). first: the tile's place in `out`.
template <unsigned kWidth>
__device__ __forceinline__ void StoreGated(const float* y, const float* z, unsigned tile_stride,
                                           float* out, size_t out_stride, unsigned count,
                                           unsigned columns_left) {
#pragma unroll 4
  for (unsigned i = threadIdx.x; i < count * kWidth; i += kScanThreads) {
    const unsigned t = i / kWidth, column = i % kWidth, at = t * tile_stride + column;
    if (column < columns_left) {
      out[t * out_stride + column] = __fmul_rn(y[at], exact::Silu(z[at]));
    }
  }
}

/// Where a thread stands: `lane` q of the kLanes lanes of a channel, and the channel in its block.
template <unsigned kLanes>
struct ScanPlace {
  static constexpr unsigned kChannelsOfWarp = kWarpLanes / kLanes;
  unsigned q = threadIdx.x % kWarpLanes / kChannelsOfWarp;
  unsigned channel = threadIdx.x / kWarpLanes * kChannelsOfWarp + threadIdx.x % kChannelsOfWarp;
};

/// One step of one state: s = fma(decay, s, dtx * b); y = fma(s, c, y). An idle lane keeps its
/// state.
__device__ __forceinline__ void ScanStep(float decay, float dtx, float b, float c, bool works,
                                         float& s, float& y) {
  const float next = __fmaf_rn(decay, s, __fmul_rn(dtx, b));
  s = works ? next : s;
  y = __fmaf_rn(s, c, y);
}

/// The token of lane q at a step, and whether it has one there.
struct LaneToken {
  __device__ LaneToken(unsigned step, unsigned q, unsigned count)
      : works(step - q < count), index(min(step - min(step, q), count - 1)) {}

  bool works;
  unsigned index;  // always readable
};

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_SCAN_TILE_CUH_
