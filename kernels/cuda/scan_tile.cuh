// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_SCAN_TILE_CUH_
#define STATELIB_KERNELS_CUDA_SCAN_TILE_CUH_

#include <cuda_pipeline_primitives.h>

#include "kernels/cuda/launches.h"
#include "kernels/reference/math.h"

/// What the scans share. In both, several lanes share a channel and each holds some of its states;
/// y travels along them (selective_scan.cu tells how).
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
  for (unsigned i = threadIdx.x; i < count * kWidth; i += kScanThreads) {
    const unsigned t = i / kWidth, column = i % kWidth, at = t * tile_stride + column;
    if (column < columns_left) {
      out[t * out_stride + column] = __fmul_rn(y[at], reference::Silu(z[at]));
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

/// One step of one state: s = fma(decay, s, dtx * b); y = fma(s, c, y).
__device__ __forceinline__ void ScanStep(float decay, float dtx, float b, float c, float& s,
                                         float& y) {
  s = __fmaf_rn(decay, s, __fmul_rn(dtx, b));
  y = __fmaf_rn(s, c, y);
}

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_SCAN_TILE_CUH_
