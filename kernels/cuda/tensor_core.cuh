// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_TENSOR_CORE_CUH_
#define STATELIB_KERNELS_CUDA_TENSOR_CORE_CUH_

#include "kernels/cuda/bulk_copy.cuh"

/// Hopper's tensor cores: a warpgroup of 128 threads multiplies two operands that lie in shared
/// memory. Everything here is asynchronous: FenceSums before the first product that uses registers
/// which ordinary code wrote, CommitProducts after the last of a group, WaitForProducts before
/// their use.
namespace statelib::kernels::cuda {

/// An operand in shared memory: rows of 64 inputs, 128 bytes each, swizzled by 128 bytes, the first
/// row on a multiple of 1,024 bytes. Sixteen inputs further on are 2 more.
__device__ __forceinline__ uint32_t OperandAt(Shared at) { return at >> 4; }
inline constexpr uint32_t kSixteenInputs = 2;
/// The rest of what describes an operand: eight rows are 1,024 bytes, swizzled by 128.
#define STATELIB_OPERAND_REST "0x40000040"

__device__ __forceinline__ void FenceSums() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ __forceinline__ void CommitProducts() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
/// Waits until at most kPending groups of this warpgroup are on their way.
template <int kPending>
__device__ __forceinline__ void WaitForProducts() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}

/// sums = a · bᵀ, plus sums where `add`: 64 rows of a by 2 * kSums rows of b, 16 inputs. Thread t
/// of the warpgroup holds of row t / 32 * 16 + t % 32 / 4 (sums 0 and 1 of each four) and of the
/// eighth row after it (2 and 3) the columns 8 * i / 4 + t % 4 * 2 and the next one.
template <unsigned kSums>
__device__ __forceinline__ void MultiplySixteen(float (&sums)[kSums], uint32_t a, uint32_t b,
                                                bool add);

template <>
__device__ __forceinline__ void MultiplySixteen<32>(float (&sums)[32], uint32_t a, uint32_t b,
                                                    bool add) {
  asm volatile(
      "{.reg .pred add; .reg .b64 a, b; setp.ne.b32 add, %34, 0;\n"
      "mov.b64 a, {%32, " STATELIB_OPERAND_REST "}; mov.b64 b, {%33, " STATELIB_OPERAND_REST
      "};\n"
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
      "}, a, b, add, 1, 1, 0, 0;}\n"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3]), "+f"(sums[4]), "+f"(sums[5]),
        "+f"(sums[6]), "+f"(sums[7]), "+f"(sums[8]), "+f"(sums[9]), "+f"(sums[10]), "+f"(sums[11]),
        "+f"(sums[12]), "+f"(sums[13]), "+f"(sums[14]), "+f"(sums[15]), "+f"(sums[16]),
        "+f"(sums[17]), "+f"(sums[18]), "+f"(sums[19]), "+f"(sums[20]), "+f"(sums[21]),
        "+f"(sums[22]), "+f"(sums[23]), "+f"(sums[24]), "+f"(sums[25]), "+f"(sums[26]),
        "+f"(sums[27]), "+f"(sums[28]), "+f"(sums[29]), "+f"(sums[30]), "+f"(sums[31])
      : "r"(a), "r"(b), "r"(static_cast<int>(add)));
}

template <>
__device__ __forceinline__ void MultiplySixteen<64>(float (&sums)[64], uint32_t a, uint32_t b,
                                                    bool add) {
  asm volatile(
      "{.reg .pred add; .reg .b64 a, b; setp.ne.b32 add, %66, 0;\n"
      "mov.b64 a, {%64, " STATELIB_OPERAND_REST "}; mov.b64 b, {%65, " STATELIB_OPERAND_REST
      "};\n"
      "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
      "}, a, b, add, 1, 1, 0, 0;}\n"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3]), "+f"(sums[4]), "+f"(sums[5]),
        "+f"(sums[6]), "+f"(sums[7]), "+f"(sums[8]), "+f"(sums[9]), "+f"(sums[10]), "+f"(sums[11]),
        "+f"(sums[12]), "+f"(sums[13]), "+f"(sums[14]), "+f"(sums[15]), "+f"(sums[16]),
        "+f"(sums[17]), "+f"(sums[18]), "+f"(sums[19]), "+f"(sums[20]), "+f"(sums[21]),
        "+f"(sums[22]), "+f"(sums[23]), "+f"(sums[24]), "+f"(sums[25]), "+f"(sums[26]),
        "+f"(sums[27]), "+f"(sums[28]), "+f"(sums[29]), "+f"(sums[30]), "+f"(sums[31]),
        "+f"(sums[32]), "+f"(sums[33]), "+f"(sums[34]), "+f"(sums[35]), "+f"(sums[36]),
        "+f"(sums[37]), "+f"(sums[38]), "+f"(sums[39]), "+f"(sums[40]), "+f"(sums[41]),
        "+f"(sums[42]), "+f"(sums[43]), "+f"(sums[44]), "+f"(sums[45]), "+f"(sums[46]),
        "+f"(sums[47]), "+f"(sums[48]), "+f"(sums[49]), "+f"(sums[50]), "+f"(sums[51]),
        "+f"(sums[52]), "+f"(sums[53]), "+f"(sums[54]), "+f"(sums[55]), "+f"(sums[56]),
        "+f"(sums[57]), "+f"(sums[58]), "+f"(sums[59]), "+f"(sums[60]), "+f"(sums[61]),
        "+f"(sums[62]), "+f"(sums[63])
      : "r"(a), "r"(b), "r"(static_cast<int>(add)));
}

template <>
__device__ __forceinline__ void MultiplySixteen<96>(float (&sums)[96], uint32_t a, uint32_t b,
                                                    bool add) {
  asm volatile(
      "{.reg .pred add; .reg .b64 a, b; setp.ne.b32 add, %98, 0;\n"
      "mov.b64 a, {%96, " STATELIB_OPERAND_REST "}; mov.b64 b, {%97, " STATELIB_OPERAND_REST
      "};\n"
      "wgmma.mma_async.sync.aligned.m64n192k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"
      "}, a, b, add, 1, 1, 0, 0;}\n"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3]), "+f"(sums[4]), "+f"(sums[5]),
        "+f"(sums[6]), "+f"(sums[7]), "+f"(sums[8]), "+f"(sums[9]), "+f"(sums[10]), "+f"(sums[11]),
        "+f"(sums[12]), "+f"(sums[13]), "+f"(sums[14]), "+f"(sums[15]), "+f"(sums[16]),
        "+f"(sums[17]), "+f"(sums[18]), "+f"(sums[19]), "+f"(sums[20]), "+f"(sums[21]),
        "+f"(sums[22]), "+f"(sums[23]), "+f"(sums[24]), "+f"(sums[25]), "+f"(sums[26]),
        "+f"(sums[27]), "+f"(sums[28]), "+f"(sums[29]), "+f"(sums[30]), "+f"(sums[31]),
        "+f"(sums[32]), "+f"(sums[33]), "+f"(sums[34]), "+f"(sums[35]), "+f"(sums[36]),
        "+f"(sums[37]), "+f"(sums[38]), "+f"(sums[39]), "+f"(sums[40]), "+f"(sums[41]),
        "+f"(sums[42]), "+f"(sums[43]), "+f"(sums[44]), "+f"(sums[45]), "+f"(sums[46]),
        "+f"(sums[47]), "+f"(sums[48]), "+f"(sums[49]), "+f"(sums[50]), "+f"(sums[51]),
        "+f"(sums[52]), "+f"(sums[53]), "+f"(sums[54]), "+f"(sums[55]), "+f"(sums[56]),
        "+f"(sums[57]), "+f"(sums[58]), "+f"(sums[59]), "+f"(sums[60]), "+f"(sums[61]),
        "+f"(sums[62]), "+f"(sums[63]), "+f"(sums[64]), "+f"(sums[65]), "+f"(sums[66]),
        "+f"(sums[67]), "+f"(sums[68]), "+f"(sums[69]), "+f"(sums[70]), "+f"(sums[71]),
        "+f"(sums[72]), "+f"(sums[73]), "+f"(sums[74]), "+f"(sums[75]), "+f"(sums[76]),
        "+f"(sums[77]), "+f"(sums[78]), "+f"(sums[79]), "+f"(sums[80]), "+f"(sums[81]),
        "+f"(sums[82]), "+f"(sums[83]), "+f"(sums[84]), "+f"(sums[85]), "+f"(sums[86]),
        "+f"(sums[87]), "+f"(sums[88]), "+f"(sums[89]), "+f"(sums[90]), "+f"(sums[91]),
        "+f"(sums[92]), "+f"(sums[93]), "+f"(sums[94]), "+f"(sums[95])
      : "r"(a), "r"(b), "r"(static_cast<int>(add)));
}

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_TENSOR_CORE_CUH_
