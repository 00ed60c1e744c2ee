// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_TENSOR_PRODUCT_CUH_
#define STATELIB_KERNELS_CUDA_TENSOR_PRODUCT_CUH_

#include <cuda_bf16.h>

#include "kernels/cuda/bulk_copy.cuh"
#include "kernels/cuda/tensor_boxes.h"

/// What the kernels of tensor_product.h share.
namespace statelib::kernels::cuda {

inline constexpr unsigned kStepInputs = kTileInputs;  // of a slot in shared memory
inline constexpr unsigned kGroup = 128;               // threads of a warpgroup

/// Where finished sums go.
struct TensorStore {
  void* out;
  size_t stride;
  const float* bias;
  unsigned rows, outputs;
  bool adds, is_bf16;
  bool quads;  // four columns from a multiple of four are aligned
};

inline TensorStore StoreOf(const TensorProductArgs& args) {
  const TensorOutput& out = args.out;
  return {out.data,
          out.stride,
          args.bias,
          static_cast<unsigned>(out.rows),
          static_cast<unsigned>(out.cols),
          args.epilogue.add,
          out.is_bf16,
          reinterpret_cast<uintptr_t>(out.data) % 16 == 0 && out.stride % 4 == 0 &&
              reinterpret_cast<uintptr_t>(args.bias) % 16 == 0};
}

__device__ __forceinline__ float4 Sum(float4 a, float4 b) {
  return {__fadd_rn(a.x, b.x), __fadd_rn(a.y, b.y), __fadd_rn(a.z, b.z), __fadd_rn(a.w, b.w)};
}

/// Finishes and stores one sum.
__device__ __forceinline__ void StoreOne(const TensorStore& store, unsigned row, unsigned output,
                                         float sum) {
  if (row >= store.rows || output >= store.outputs) return;
  const size_t at = row * store.stride + output;
  if (store.bias != nullptr) sum = __fadd_rn(sum, store.bias[output]);
  if (store.is_bf16) {
    static_cast<__nv_bfloat16*>(store.out)[at] = __float2bfloat16_rn(sum);
    return;
  }
  float* out = static_cast<float*>(store.out) + at;
  *out = store.adds ? __fadd_rn(*out, sum) : sum;
}

/// Four results to an address that is aligned for them.
__device__ __forceinline__ void PutBF16(__nv_bfloat16* to, float4 sums) {
  const __nv_bfloat162 low = __floats2bfloat162_rn(sums.x, sums.y),
                       high = __floats2bfloat162_rn(sums.z, sums.w);
  *reinterpret_cast<uint2*>(to) = {reinterpret_cast<const uint32_t&>(low),
                                   reinterpret_cast<const uint32_t&>(high)};
}
__device__ __forceinline__ void PutF32(float* to, float4 sums, bool adds) {
  float4* four = reinterpret_cast<float4*>(to);
  *four = adds ? Sum(*four, sums) : sums;
}

/// Finishes and stores the sums of four outputs from `output`, a multiple of four.
__device__ __forceinline__ void StoreFour(const TensorStore& store, unsigned row, unsigned output,
                                          float4 sums) {
  if (row >= store.rows) return;
  if (!store.quads || output + 4 > store.outputs) {
#pragma unroll 1
    for (unsigned i = 0; i < 4; ++i) {
      StoreOne(store, row, output + i, sums.x);
      sums = {sums.y, sums.z, sums.w, 0.0f};
    }
    return;
  }
  if (store.bias != nullptr)
    sums = Sum(sums, *reinterpret_cast<const float4*>(store.bias + output));
  const size_t at = row * store.stride + output;
  if (store.is_bf16) {
    PutBF16(static_cast<__nv_bfloat16*>(store.out) + at, sums);
  } else {
    PutF32(static_cast<float*>(store.out) + at, sums, store.adds);
  }
}

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_TENSOR_PRODUCT_CUH_
