// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_WARP_PRODUCT_CUH_
#define STATELIB_KERNELS_CUDA_WARP_PRODUCT_CUH_

#include "kernels/cuda/bulk_copy.cuh"

/// Products by a warp: sums [16, 8] += first [16, 16] · second [16, 8], bf16 with f32 sums. With g
/// = lane / 4 and q = lane % 4 a lane holds of the sums rows g (0 and 1) and g + 8 (2 and 3),
/// columns 2q and 2q + 1; of the first operand, in pairs, rows g and g + 8 at k = 2q (0 and 1) and
/// at 2q + 8 (2 and 3); of the second column g at k = 2q and 2q + 8.
namespace statelib::kernels::cuda {

__device__ __forceinline__ void WarpMultiply(float (&sums)[4], const uint32_t (&first)[4],
                                             uint32_t second_low, uint32_t second_high) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(first[0]), "r"(first[1]), "r"(first[2]), "r"(first[3]), "r"(second_low),
        "r"(second_high));
}

/// Rows of kColumns bf16 in shared memory; the 16-byte pieces of a row are swizzled so that eight
/// rows' pieces of a column lie in different banks.
template <unsigned kColumns>
struct SharedTile {
  static constexpr unsigned kPitch = kColumns * 2;
  Shared at;

  __device__ __forceinline__ Shared Piece(unsigned row, unsigned piece) const {
    return at + row * kPitch + ((piece ^ (row & 7)) << 4);
  }

  /// A first operand [row, column] from (row, column) on.
  __device__ __forceinline__ void ReadFirst(uint32_t (&to)[4], unsigned row,
                                            unsigned column) const {
    const unsigned lane = threadIdx.x % 32;
    Read(to, Piece(row + lane % 16, column / 8 + lane / 16));
  }
  /// A first operand [column, row].
  __device__ __forceinline__ void ReadFirstTransposed(uint32_t (&to)[4], unsigned row,
                                                      unsigned column) const {
    const unsigned lane = threadIdx.x % 32;
    ReadTransposed(to, Piece(row + lane % 8 + lane / 16 * 8, column / 8 + lane / 8 % 2));
  }
  /// Two second operands [column, row]: of rows from `row` on (0 and 1) and from row + 8 on.
  __device__ __forceinline__ void ReadSeconds(uint32_t (&to)[4], unsigned row,
                                              unsigned column) const {
    const unsigned lane = threadIdx.x % 32;
    Read(to, Piece(row + lane % 8 + lane / 16 * 8, column / 8 + lane / 8 % 2));
  }
  /// Two second operands [row, column]: of columns from `column` on (0 and 1) and from column + 8.
  __device__ __forceinline__ void ReadSecondsTransposed(uint32_t (&to)[4], unsigned row,
                                                        unsigned column) const {
    const unsigned lane = threadIdx.x % 32;
    ReadTransposed(to, Piece(row + lane % 16, column / 8 + lane / 16));
  }
  /// Writes what ReadFirst reads.
  __device__ __forceinline__ void WriteFirst(const uint32_t (&from)[4], unsigned row,
                                             unsigned column) const {
    const unsigned lane = threadIdx.x % 32;
    asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(
                     Piece(row + lane % 16, column / 8 + lane / 16)),
                 "r"(from[0]), "r"(from[1]), "r"(from[2]), "r"(from[3])
                 : "memory");
  }

 private:
  static __device__ __forceinline__ void Read(uint32_t (&to)[4], Shared from) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(from)
                 : "memory");
  }
  static __device__ __forceinline__ void ReadTransposed(uint32_t (&to)[4], Shared from) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(from)
                 : "memory");
  }
};

/// Writes what a lane holds of a first operand, transposed: to rows of eight that this lane names.
/// Lanes 0 to 7 name those of k = 0 to 7 and rows 0 to 7 of the operand, the next eight those of
/// rows 8 to 15, the others those of k = 8 to 15.
__device__ __forceinline__ void WriteTransposed(const uint32_t (&from)[4], Shared to) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(to),
               "r"(from[0]), "r"(from[1]), "r"(from[2]), "r"(from[3])
               : "memory");
}

/// Copies 16 bytes to shared memory, or zeros; FinishCopies waits until at most kPending groups of
/// this thread are on their way.
__device__ __forceinline__ void CopySixteenBytes(Shared to, const void* from, bool is_there) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from),
               "r"(is_there ? 16 : 0)
               : "memory");
}
__device__ __forceinline__ void CommitCopies() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
template <int kPending>
__device__ __forceinline__ void FinishCopies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

template <typename T>
__device__ __forceinline__ T ReadShared(Shared from);
template <>
__device__ __forceinline__ float ReadShared<float>(Shared from) {
  float value;
  asm volatile("ld.shared.f32 %0, [%1];" : "=f"(value) : "r"(from) : "memory");
  return value;
}
template <>
__device__ __forceinline__ float2 ReadShared<float2>(Shared from) {
  float2 value;
  asm volatile("ld.shared.v2.f32 {%0, %1}, [%2];"
               : "=f"(value.x), "=f"(value.y)
               : "r"(from)
               : "memory");
  return value;
}
template <>
__device__ __forceinline__ float4 ReadShared<float4>(Shared from) {
  float4 value;
  asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];"
               : "=f"(value.x), "=f"(value.y), "=f"(value.z), "=f"(value.w)
               : "r"(from)
               : "memory");
  return value;
}
template <>
__device__ __forceinline__ uint32_t ReadShared<uint32_t>(Shared from) {
  uint32_t value;
  asm volatile("ld.shared.u32 %0, [%1];" : "=r"(value) : "r"(from) : "memory");
  return value;
}
template <>
__device__ __forceinline__ uint4 ReadShared<uint4>(Shared from) {
  uint4 value;
  asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
               : "r"(from)
               : "memory");
  return value;
}
__device__ __forceinline__ void WriteShared(Shared to, uint32_t value) {
  asm volatile("st.shared.u32 [%0], %1;" ::"r"(to), "r"(value) : "memory");
}
__device__ __forceinline__ void WriteShared(Shared to, float value) {
  asm volatile("st.shared.f32 [%0], %1;" ::"r"(to), "f"(value) : "memory");
}
__device__ __forceinline__ void WriteShared(Shared to, uint16_t value) {
  asm volatile("st.shared.u16 [%0], %1;" ::"r"(to), "h"(value) : "memory");
}
__device__ __forceinline__ void WriteShared(Shared to, uint4 value) {
  asm volatile("st.shared.v4.u32 [%0], {%1, %2, %3, %4};" ::"r"(to), "r"(value.x), "r"(value.y),
               "r"(value.z), "r"(value.w)
               : "memory");
}

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_WARP_PRODUCT_CUH_
