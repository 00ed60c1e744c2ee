// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CPU_AVX3_EXTENSIONS_H_
#define STATELIB_KERNELS_CPU_AVX3_EXTENSIONS_H_

#include <vector>

#include "kernels/cpu/cpu_kernels.h"

namespace statelib::kernels {

/// Adds, best first, the kernels of those extensions of AVX-512 that this machine has:
///   avx3_bf16  byte and bf16 products (Zen 4, Sapphire Rapids)
///   avx3_vnni  byte products (Ice Lake)
/// They differ from `avx3` in matrix products alone. This version of Highway has no target for
/// them.
void AddAvx3Extensions(const CpuKernels& avx3, std::vector<CpuKernels>& kernels);

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_CPU_AVX3_EXTENSIONS_H_
