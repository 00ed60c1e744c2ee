// SPDX-License-Identifier: Apache-2.0
// Compiles every operation once for each instruction set that has fused multiply-add, and lists
// what the machine runs. Those without it have no use here; SVE's vectors have no length that an
// array of them could have.
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)

#include "kernels/cpu/cpu_kernels.h"

#include "kernels/cpu/avx3_extensions.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/cpu_kernels.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// The foreach header includes this file again for each target; it must stand before the ones below.
#include "kernels/cpu/attention-inl.h"
#include "kernels/cpu/conv-inl.h"
#include "kernels/cpu/mamba2_scan-inl.h"
#include "kernels/cpu/norm-inl.h"
#include "kernels/cpu/products-inl.h"
#include "kernels/cpu/sample-inl.h"
#include "kernels/cpu/scan-inl.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::STATELIB_TARGET {

CpuKernels Kernels(std::string_view target) {
  return {target,      &RmsNorm,   &PrepareInput, &MatMul,       &CausalConv,        &SelectiveScan,
          &Mamba2Scan, &Attention, &LargestLogit, &IndexOfLogit, &IndexOfLogitAbove, &WeighLogits};
}

}  // namespace statelib::kernels::STATELIB_TARGET
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace statelib::kernels {

namespace {

// Asked of the compiler's runtime: Highway's library measures a timer for 3.6 ms whenever a process
// loads it.
#if defined(__x86_64__)
bool RunsAvx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}
bool RunsAvx512() {
  return RunsAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
#endif

}  // namespace

const std::vector<CpuKernels>& SupportedCpuKernels() {
  static const std::vector<CpuKernels> supported = [] {
    std::vector<CpuKernels> kernels;
#if HWY_TARGETS & HWY_AVX3
    if (RunsAvx512()) {
      const CpuKernels avx3 = N_AVX3::Kernels("avx3");
      AddAvx3Extensions(avx3, kernels);
      kernels.push_back(avx3);
    }
#endif
#if HWY_TARGETS & HWY_AVX2
    if (RunsAvx2()) kernels.push_back(N_AVX2::Kernels("avx2"));
#endif
#if HWY_TARGETS & HWY_NEON
    kernels.push_back(N_NEON::Kernels("neon"));
#endif
    return kernels;
  }();
  return supported;
}

}  // namespace statelib::kernels
#endif
