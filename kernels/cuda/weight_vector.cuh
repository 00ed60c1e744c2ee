// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_WEIGHT_VECTOR_CUH_
#define STATELIB_KERNELS_CUDA_WEIGHT_VECTOR_CUH_

#include <cuda_fp16.h>

#include "kernels/dtype.h"

namespace statelib::kernels::cuda {

/// Weight `index` of 16 bytes of weights, as f32; exact for every type. `index` must be a constant
/// after unrolling, or the vector leaves its registers.
template <DType kType>
__device__ __forceinline__ float WeightAt(const uint4& vector, int index) {
  const unsigned words[4] = {vector.x, vector.y, vector.z, vector.w};
  if constexpr (kType == DType::kF32) return __uint_as_float(words[index]);
  const unsigned word = words[index / 2];
  if constexpr (kType == DType::kBF16) {
    return __uint_as_float(index % 2 == 0 ? word << 16 : word & 0xffff0000u);
  }
  const auto bits = static_cast<unsigned short>(index % 2 == 0 ? word & 0xffffu : word >> 16);
  return __half2float(__ushort_as_half(bits));
}

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_WEIGHT_VECTOR_CUH_
