// SPDX-License-Identifier: Apache-2.0
// Matrix products for AVX-512 with VNNI and BF16: Highway's AVX-512 operations, compiled with more
// instructions in a namespace of their own.
#include "kernels/cpu/avx3_products.h"

#if defined(__x86_64__)

#define STATELIB_TARGET N_AVX3_BF16
#define STATELIB_TARGET_HAS_VNNI 1
#define STATELIB_TARGET_HAS_BF16 1

#include "hwy/detect_targets.h"
#undef HWY_TARGET
#define HWY_TARGET HWY_AVX3
#include "hwy/highway.h"
#undef HWY_TARGET_STR
#define HWY_TARGET_STR HWY_TARGET_STR_AVX3 ",avx512vnni,avx512bf16"

#include "kernels/cpu/products-inl.h"

namespace statelib::kernels {

void MatMulAvx3Bf16(const PackedMatrix& weights, const float* bias, ConstRows x, Epilogue epilogue,
                    Rows out, Part panels, std::byte* prepared) {
  STATELIB_TARGET::MatMul(weights, bias, x, epilogue, out, panels, prepared);
}

}  // namespace statelib::kernels

#endif
