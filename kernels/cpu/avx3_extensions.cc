// SPDX-License-Identifier: Apache-2.0
// Asks the processor and lists what it has; each extension's products are compiled in a file of
// their own.
#include "kernels/cpu/avx3_extensions.h"

#include "kernels/cpu/avx3_products.h"

namespace statelib::kernels {

void AddAvx3Extensions(const CpuKernels& avx3, std::vector<CpuKernels>& kernels) {
#if defined(__x86_64__)
  const auto add = [&](const char* target, auto mat_mul) {
    CpuKernels extended = avx3;
    extended.target = target;
    extended.mat_mul = mat_mul;
    kernels.push_back(extended);
  };
  if (!__builtin_cpu_supports("avx512vnni")) return;
  if (__builtin_cpu_supports("avx512bf16")) add("avx3_bf16", MatMulAvx3Bf16);
  add("avx3_vnni", MatMulAvx3Vnni);
#else
  (void)avx3;
  (void)kernels;
#endif
}

}  // namespace statelib::kernels
