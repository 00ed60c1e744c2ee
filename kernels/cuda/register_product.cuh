// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_REGISTER_PRODUCT_CUH_
#define STATELIB_KERNELS_CUDA_REGISTER_PRODUCT_CUH_

#include "kernels/cuda/tensor_core.cuh"

/// Products by a warpgroup whose first operand, 64 rows of 16 inputs, lies in registers, each of
/// its four warps having sixteen rows: of those a lane holds what it does for WarpMultiply
/// (warp_product.cuh), and of the sums too, sums[j] being columns 8j to 8j + 7. The second operand
/// lies in shared memory in rows of 64, 128 bytes each, swizzled by 128 bytes; `second` is where,
/// by OperandAt. Asynchronous as all of tensor_core.cuh.
namespace statelib::kernels::cuda {

/// Makes shared memory that this thread wrote known to the tensor cores of the block, after the
/// next barrier.
__device__ __forceinline__ void FenceForTensorCores() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/// Of a second operand [input, column] with more than 64 columns: the others lie `bytes` further
/// on.
__device__ __forceinline__ uint32_t WithMoreColumns(uint32_t operand, uint32_t bytes) {
  return operand | (bytes >> 4) << 16;
}
/// Sixteen inputs further on in a second operand [input, column].
inline constexpr uint32_t kSixteenRows = 16 * 128 >> 4;

/// sums = first · secondᵀ, plus sums where `add`; second [64 columns, inputs].
__device__ __forceinline__ void MultiplyByRows(float (&sums)[8][4], const uint32_t (&first)[4],
                                               uint32_t second, bool add) {
  asm volatile(
      "{.reg .pred add; .reg .b64 second; setp.ne.b32 add, %37, 0;\n"
      "mov.b64 second, {%36, " STATELIB_OPERAND_REST
      "};\n"
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, "
      "%18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
      "}, {%32, %33, %34, %35}, second, add, 1, 1, 0;}\n"
      : "+f"(sums[0][0]), "+f"(sums[0][1]), "+f"(sums[0][2]), "+f"(sums[0][3]), "+f"(sums[1][0]),
        "+f"(sums[1][1]), "+f"(sums[1][2]), "+f"(sums[1][3]), "+f"(sums[2][0]), "+f"(sums[2][1]),
        "+f"(sums[2][2]), "+f"(sums[2][3]), "+f"(sums[3][0]), "+f"(sums[3][1]), "+f"(sums[3][2]),
        "+f"(sums[3][3]), "+f"(sums[4][0]), "+f"(sums[4][1]), "+f"(sums[4][2]), "+f"(sums[4][3]),
        "+f"(sums[5][0]), "+f"(sums[5][1]), "+f"(sums[5][2]), "+f"(sums[5][3]), "+f"(sums[6][0]),
        "+f"(sums[6][1]), "+f"(sums[6][2]), "+f"(sums[6][3]), "+f"(sums[7][0]), "+f"(sums[7][1]),
        "+f"(sums[7][2]), "+f"(sums[7][3])
      : "r"(first[0]), "r"(first[1]), "r"(first[2]), "r"(first[3]), "r"(second),
        "r"(static_cast<int>(add)));
}

/// sums = first · second, plus sums where `add`; second [inputs, 64 columns].
__device__ __forceinline__ void MultiplyByColumns(float (&sums)[8][4], const uint32_t (&first)[4],
                                                  uint32_t second, bool add) {
  asm volatile(
      "{.reg .pred add; .reg .b64 second; setp.ne.b32 add, %37, 0;\n"
      "mov.b64 second, {%36, " STATELIB_OPERAND_REST
      "};\n"
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, "
      "%18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
      "}, {%32, %33, %34, %35}, second, add, 1, 1, 1;}\n"
      : "+f"(sums[0][0]), "+f"(sums[0][1]), "+f"(sums[0][2]), "+f"(sums[0][3]), "+f"(sums[1][0]),
        "+f"(sums[1][1]), "+f"(sums[1][2]), "+f"(sums[1][3]), "+f"(sums[2][0]), "+f"(sums[2][1]),
        "+f"(sums[2][2]), "+f"(sums[2][3]), "+f"(sums[3][0]), "+f"(sums[3][1]), "+f"(sums[3][2]),
        "+f"(sums[3][3]), "+f"(sums[4][0]), "+f"(sums[4][1]), "+f"(sums[4][2]), "+f"(sums[4][3]),
        "+f"(sums[5][0]), "+f"(sums[5][1]), "+f"(sums[5][2]), "+f"(sums[5][3]), "+f"(sums[6][0]),
        "+f"(sums[6][1]), "+f"(sums[6][2]), "+f"(sums[6][3]), "+f"(sums[7][0]), "+f"(sums[7][1]),
        "+f"(sums[7][2]), "+f"(sums[7][3])
      : "r"(first[0]), "r"(first[1]), "r"(first[2]), "r"(first[3]), "r"(second),
        "r"(static_cast<int>(add)));
}

/// The same for 128 columns.
__device__ __forceinline__ void MultiplyByColumns(float (&sums)[16][4], const uint32_t (&first)[4],
                                                  uint32_t second, bool add) {
  asm volatile(
      "{.reg .pred add; .reg .b64 second; setp.ne.b32 add, %69, 0;\n"
      "mov.b64 second, {%68, " STATELIB_OPERAND_REST
      "};\n"
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, "
      "%18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, "
      "%34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, "
      "%50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
      "}, {%64, %65, %66, %67}, second, add, 1, 1, 1;}\n"
      : "+f"(sums[0][0]), "+f"(sums[0][1]), "+f"(sums[0][2]), "+f"(sums[0][3]), "+f"(sums[1][0]),
        "+f"(sums[1][1]), "+f"(sums[1][2]), "+f"(sums[1][3]), "+f"(sums[2][0]), "+f"(sums[2][1]),
        "+f"(sums[2][2]), "+f"(sums[2][3]), "+f"(sums[3][0]), "+f"(sums[3][1]), "+f"(sums[3][2]),
        "+f"(sums[3][3]), "+f"(sums[4][0]), "+f"(sums[4][1]), "+f"(sums[4][2]), "+f"(sums[4][3]),
        "+f"(sums[5][0]), "+f"(sums[5][1]), "+f"(sums[5][2]), "+f"(sums[5][3]), "+f"(sums[6][0]),
        "+f"(sums[6][1]), "+f"(sums[6][2]), "+f"(sums[6][3]), "+f"(sums[7][0]), "+f"(sums[7][1]),
        "+f"(sums[7][2]), "+f"(sums[7][3]), "+f"(sums[8][0]), "+f"(sums[8][1]), "+f"(sums[8][2]),
        "+f"(sums[8][3]), "+f"(sums[9][0]), "+f"(sums[9][1]), "+f"(sums[9][2]), "+f"(sums[9][3]),
        "+f"(sums[10][0]), "+f"(sums[10][1]), "+f"(sums[10][2]), "+f"(sums[10][3]),
        "+f"(sums[11][0]), "+f"(sums[11][1]), "+f"(sums[11][2]), "+f"(sums[11][3]),
        "+f"(sums[12][0]), "+f"(sums[12][1]), "+f"(sums[12][2]), "+f"(sums[12][3]),
        "+f"(sums[13][0]), "+f"(sums[13][1]), "+f"(sums[13][2]), "+f"(sums[13][3]),
        "+f"(sums[14][0]), "+f"(sums[14][1]), "+f"(sums[14][2]), "+f"(sums[14][3]),
        "+f"(sums[15][0]), "+f"(sums[15][1]), "+f"(sums[15][2]), "+f"(sums[15][3])
      : "r"(first[0]), "r"(first[1]), "r"(first[2]), "r"(first[3]), "r"(second),
        "r"(static_cast<int>(add)));
}

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_REGISTER_PRODUCT_CUH_
