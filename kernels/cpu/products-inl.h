// SPDX-License-Identifier: Apache-2.0
// The matrix product of every kind of packed matrix.
#if defined(STATELIB_KERNELS_CPU_PRODUCTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STATELIB_KERNELS_CPU_PRODUCTS_INL_H_
#undef STATELIB_KERNELS_CPU_PRODUCTS_INL_H_
#else
#define STATELIB_KERNELS_CPU_PRODUCTS_INL_H_
#endif

#include "kernels/cpu/block_matmul-inl.h"
#include "kernels/cpu/matmul-inl.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::STATELIB_TARGET {

void MatMul(const PackedMatrix& matrix, const float* bias, ConstRows x, Epilogue epilogue, Rows out,
            Part panels, std::byte* prepared) {
  const auto run = [&](const auto& product) {
    product(matrix, bias, x, epilogue, out, panels, prepared);
  };
  switch (matrix.kind()) {
    case PackedKind::kF32:
    case PackedKind::kBF16:
    case PackedKind::kBF16Pairs:
      return run(MatMulPlain);
    case PackedKind::kQ8_0:
      return run(MatMulBlocks<WeightType::kQ8_0>);
    case PackedKind::kQ4_0:
      return run(MatMulBlocks<WeightType::kQ4_0>);
    case PackedKind::kQ4_1:
      return run(MatMulBlocks<WeightType::kQ4_1>);
    case PackedKind::kQ5_0:
      return run(MatMulBlocks<WeightType::kQ5_0>);
    case PackedKind::kQ5_1:
      return run(MatMulBlocks<WeightType::kQ5_1>);
    case PackedKind::kQ4_K:
      return run(MatMulBlocks<WeightType::kQ4_K>);
    case PackedKind::kQ5_K:
      return run(MatMulBlocks<WeightType::kQ5_K>);
    case PackedKind::kQ6_K:
      return run(MatMulBlocks<WeightType::kQ6_K>);
  }
}

}  // namespace statelib::kernels::STATELIB_TARGET
HWY_AFTER_NAMESPACE();

#endif
