// SPDX-License-Identifier: Apache-2.0
// Compiles every operation once for each instruction set that has fused multiply-add, and lists
// what the machine runs.
#include "kernels/cpu/cpu_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/cpu_kernels.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// The foreach header includes this file again for each target; it must stand before the ones below.
#include "kernels/cpu/conv-inl.h"
#include "kernels/cpu/head_scan-inl.h"
#include "kernels/cpu/matmul-inl.h"
#include "kernels/cpu/norm-inl.h"
#include "kernels/cpu/scan-inl.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::HWY_NAMESPACE {

CpuKernels Kernels(std::string_view target) {
  return {target, &RmsNorm, &MatMul, &CausalConv, &SelectiveScan, &HeadScan};
}

}  // namespace statelib::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace statelib::kernels {

const std::vector<CpuKernels>& SupportedCpuKernels() {
  static const std::vector<CpuKernels> supported = [] {
    std::vector<CpuKernels> kernels;
    [[maybe_unused]] const int64_t runnable = hwy::SupportedTargets();
#if HWY_TARGETS & HWY_AVX3
    if ((runnable & HWY_AVX3) != 0) kernels.push_back(N_AVX3::Kernels("avx3"));
#endif
#if HWY_TARGETS & HWY_AVX2
    if ((runnable & HWY_AVX2) != 0) kernels.push_back(N_AVX2::Kernels("avx2"));
#endif
#if HWY_TARGETS & HWY_NEON
    if ((runnable & HWY_NEON) != 0) kernels.push_back(N_NEON::Kernels("neon"));
#endif
    return kernels;
  }();
  return supported;
}

}  // namespace statelib::kernels
#endif
