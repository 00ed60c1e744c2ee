// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CPU_AVX3_PRODUCTS_H_
#define STATELIB_KERNELS_CPU_AVX3_PRODUCTS_H_

#include "kernels/cpu/cpu_kernels.h"

namespace statelib::kernels {

/// CpuKernels::mat_mul with the instructions of an extension, which the processor must have.
void MatMulAvx3Bf16(const PackedMatrix& weights, const float* bias, ConstRows x, Epilogue epilogue,
                    Rows out, Part panels, std::byte* prepared);
void MatMulAvx3Vnni(const PackedMatrix& weights, const float* bias, ConstRows x, Epilogue epilogue,
                    Rows out, Part panels, std::byte* prepared);

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_CPU_AVX3_PRODUCTS_H_
