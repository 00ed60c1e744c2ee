// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_WEIGHT_VECTOR_CUH_
#define STATELIB_KERNELS_CUDA_WEIGHT_VECTOR_CUH_

#include <cuda_fp16.h>

#include "kernels/weight_type.h"

namespace statelib::kernels::cuda {

/// Weights of one output for kInputs consecutive inputs, as they are stored, read at once.
template <WeightType kType, unsigned kInputs>
struct alignas(kInputs* InfoOf(kType).block_bytes) WeightVector {
  unsigned words[kInputs * InfoOf(kType).block_bytes / 4];

  /// One of them as f32, which holds every type exactly. `index` must be a constant after
  /// unrolling, or the vector leaves its registers.
  __device__ __forceinline__ float At(unsigned index) const {
    if constexpr (kType == WeightType::kF32) return __uint_as_float(words[index]);
    const unsigned word = words[index / 2];
    if constexpr (kType == WeightType::kBF16) {
      return __uint_as_float(index % 2 == 0 ? word << 16 : word & 0xffff0000u);
    }
    const auto bits = static_cast<unsigned short>(index % 2 == 0 ? word & 0xffffu : word >> 16);
    return __half2float(__ushort_as_half(bits));
  }
};

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_WEIGHT_VECTOR_CUH_
