// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_APPROXIMATIONS_CUH_
#define STATELIB_KERNELS_CUDA_APPROXIMATIONS_CUH_

#include <cuda_bf16.h>

#include <cstdint>

/// The card's own functions and bf16, for the kernels over bf16 rows.
namespace statelib::kernels::cuda {

inline constexpr float kLog2E = 0x1.715476p+0f;

/// Volatile: what is computed ahead of a wait must not be moved behind it.
__device__ __forceinline__ float Ex2(float x) {
  float y;
  asm volatile("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
__device__ __forceinline__ float Reciprocal(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
/// z * rcp(1 + ex2(-(z * kLog2E)))
__device__ __forceinline__ float FastSilu(float z) {
  return __fmul_rn(z, Reciprocal(__fadd_rn(1.0f, Ex2(-__fmul_rn(z, kLog2E)))));
}

__device__ __forceinline__ float FromBF16(uint16_t bits) {
  return __uint_as_float(static_cast<unsigned>(bits) << 16);
}
__device__ __forceinline__ uint16_t ToBF16(float value) {
  return __bfloat16_as_ushort(__float2bfloat16_rn(value));
}
/// Four bf16 that lie side by side, aligned to 8 bytes.
__device__ __forceinline__ float4 ReadFourBF16(const uint16_t* from) {
  const uint2 four = *reinterpret_cast<const uint2*>(from);
  return {__uint_as_float(four.x << 16), __uint_as_float(four.x & 0xffff0000u),
          __uint_as_float(four.y << 16), __uint_as_float(four.y & 0xffff0000u)};
}
__device__ __forceinline__ void WriteFourBF16(uint16_t* to, float4 four) {
  const __nv_bfloat162 low = __floats2bfloat162_rn(four.x, four.y),
                       high = __floats2bfloat162_rn(four.z, four.w);
  *reinterpret_cast<uint2*>(to) = {reinterpret_cast<const uint32_t&>(low),
                                   reinterpret_cast<const uint32_t&>(high)};
}

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_APPROXIMATIONS_CUH_
