// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_MAMBA1_SCAN_CUH_
#define STATELIB_KERNELS_CUDA_MAMBA1_SCAN_CUH_

#include <cfloat>

#include "kernels/cuda/approximations.cuh"
#include "kernels/cuda/mamba1_operands.h"

/// The steps of mamba1_scan.h, which both of its kernels call.
namespace statelib::kernels::cuda {

/// A2, what dt is multiplied with.
__device__ __forceinline__ float ScaledA(float a) {
  const float scaled = __fmul_rn(a, kLog2E);
  return scaled < -FLT_MAX ? -FLT_MAX : scaled;
}

/// dt of a raw time step with its bias added.
__device__ __forceinline__ float TimeStep(float v) {
  const float w = Ex2(-__fmul_rn(fabsf(v), kLog2E));
  float p = SoftplusTerm(kSoftplusTerms - 1);
#pragma unroll
  for (int i = kSoftplusTerms - 2; i >= 0; --i) p = __fmaf_rn(p, w, SoftplusTerm(i));
  return __fmaf_rn(w, p, v > 0.0f ? v : v != v ? v : 0.0f);
}

/// One result out of the sum over its states.
__device__ __forceinline__ uint16_t Finish(float sum, float d, float x, float z) {
  const float y = __fmaf_rn(d, x, sum);
  return ToBF16(__fmul_rn(y, FastSilu(z)));
}

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_MAMBA1_SCAN_CUH_
