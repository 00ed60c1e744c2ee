// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_MAMBA1_OPERANDS_H_
#define STATELIB_KERNELS_CUDA_MAMBA1_OPERANDS_H_

#include "kernels/cuda/mamba1_scan.h"

namespace statelib::kernels::cuda {

inline constexpr unsigned kBlockStates = 16;  // states whose sum is one tree
inline constexpr unsigned kLaneStates = 4;    // states whose sum is one chain

/// What the kernels take: the launch's arguments in the widths that they compute with.
struct Mamba1Operands {
  const uint16_t *x, *z, *b, *c;
  const float *dt, *dt_bias, *a, *d;
  uint16_t* y;
  size_t x_stride, z_stride, dt_stride, b_stride, c_stride, y_stride;
  const DeviceSequence* sequences;
  unsigned channels, states;
  unsigned state_blocks;  // of 16 states, the last one maybe half
};

void LaunchMamba1Rows(const Mamba1Operands& operands, const Mamba1ScanArgs& args);
void LaunchMamba1FewRows(const Mamba1Operands& operands, const Mamba1ScanArgs& args);

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_MAMBA1_OPERANDS_H_
