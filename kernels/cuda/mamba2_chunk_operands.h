// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_OPERANDS_H_
#define STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_OPERANDS_H_

#include "kernels/cuda/mamba2_chunk_scan.h"

namespace statelib::kernels::cuda {

inline constexpr unsigned kTokens = kChunkTokens;
inline constexpr unsigned kTileWidth = 64;  // channels of a head that a block computes
inline constexpr unsigned kStatesMax = kChunkStatesMax;

/// What the kernels take: the launch's arguments in the widths that they compute with.
struct Mamba2Operands {
  const uint16_t *x, *z, *b, *c;
  const float *dt_raw, *dt_bias, *a, *d;
  uint16_t* y;
  size_t x_stride, z_stride, dt_stride, b_stride, c_stride, y_stride;
  float dt_min, dt_max;
  const ChunkedSequence* sequences;
  uint32_t* counters;
  float* products;  // [chunk, G, 64, 64], C[t] · B[s] where the sixteen of s is not past that of t
  float* steps;     // [chunk, H, 2, 64], dt and cum
  size_t x_offset, b_offset, dt_offset;
  unsigned heads, width, states, groups, heads_of_group, tiles;
};

/// Fills products and steps, for kRows.
void LaunchMamba2ChunkProducts(const Mamba2Operands& operands, const Mamba2ChunkScanArgs& args);
void LaunchMamba2ChunkRows(const Mamba2Operands& operands, const Mamba2ChunkScanArgs& args);
void LaunchMamba2ChunkFewRows(const Mamba2Operands& operands, const Mamba2ChunkScanArgs& args);

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_MAMBA2_CHUNK_OPERANDS_H_
