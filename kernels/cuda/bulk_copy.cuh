// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_BULK_COPY_CUH_
#define STATELIB_KERNELS_CUDA_BULK_COPY_CUH_

#include <cuda.h>

#include <cstdint>

/// Hopper's copy engine: one thread asks for a box of a tensor in global memory, which arrives in
/// shared memory and tells a barrier there. Shared memory is named by its 32-bit addresses, so that
/// the one thread that asks has little to compute: it must be faster than the tensor cores.
namespace statelib::kernels::cuda {

using Shared = uint32_t;

/// The block's dynamic shared memory from its first multiple of 1,024 bytes on, which costs at most
/// that much of it.
inline constexpr size_t kSharedAlignment = 1024;
__device__ __forceinline__ Shared AlignedShared(const void* memory) {
  Shared address = static_cast<Shared>(__cvta_generic_to_shared(memory));
  address = (address + kSharedAlignment - 1) / kSharedAlignment * kSharedAlignment;
  asm volatile("" : "+r"(address));  // computed once
  return address;
}

/// One thread of the warp, always the same one.
__device__ __forceinline__ bool IsElected() {
  int elected = 0;
  asm volatile(
      "{.reg .pred one;\n"
      "elect.sync _|one, 0xffffffff;\n"
      "selp.b32 %0, 1, 0, one;}\n"
      : "=r"(elected));
  return elected != 0;
}

__device__ __forceinline__ unsigned ClusterRank() {
  unsigned rank;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}
__device__ __forceinline__ void ClusterSync() {
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::
                   : "memory");
}

/// A barrier of 8 bytes in shared memory that counts arrivals and bytes; a phase ends when both are
/// there.
struct Barrier {
  static constexpr unsigned kBytes = 8;
  Shared at;

  __device__ void Init(unsigned arrivals) const {
    asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(at), "r"(arrivals));
  }
  /// Arrives and says how many bytes this phase waits for.
  __device__ void ArriveExpecting(unsigned bytes) const {
    asm volatile("mbarrier.arrive.expect_tx.shared.b64 _, [%0], %1;" ::"r"(at), "r"(bytes)
                 : "memory");
  }
  __device__ void Arrive() const {
    asm volatile("mbarrier.arrive.shared.b64 _, [%0];" ::"r"(at) : "memory");
  }
  /// Arrives at this barrier's namesake in block `rank` of the cluster.
  __device__ void ArriveAt(unsigned rank) const {
    asm volatile(
        "{.reg .b32 there;\n"
        "mapa.shared::cluster.u32 there, %0, %1;\n"
        "mbarrier.arrive.shared::cluster.b64 _, [there];}\n" ::"r"(at),
        "r"(rank)
        : "memory");
  }
  /// Waits for the end of a phase: the first has parity 0, the second 1, the third 0, …
  __device__ void Wait(unsigned parity) const {
    int done = 0;
    do {
      asm volatile(
          "{.reg .pred done;\n"
          "mbarrier.try_wait.parity.shared::cta.b64 done, [%1], %2;\n"
          "selp.b32 %0, 1, 0, done;}\n"
          : "=r"(done)
          : "r"(at), "r"(parity)
          : "memory");
    } while (done == 0);
  }
};

/// Makes initialised barriers known to the copy engine and to the cluster.
__device__ __forceinline__ void FenceBarriers() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

/// A box of a matrix from (column, row) on; what lies outside is +0 and counts as bytes.
__device__ __forceinline__ void CopyBox(Shared to, const CUtensorMap& matrix, unsigned column,
                                        unsigned row, Barrier barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%2, %3}], [%4];" ::"r"(to),
      "l"(&matrix), "r"(column), "r"(row), "r"(barrier.at)
      : "memory");
}
/// A box of a tensor of four dimensions whose innermost is taken whole.
__device__ __forceinline__ void CopyBox(Shared to, const CUtensorMap& tensor, unsigned second,
                                        unsigned third, unsigned fourth, Barrier barrier) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%2, %3, %4, %5}], [%6];" ::"r"(to),
      "l"(&tensor), "r"(0), "r"(second), "r"(third), "r"(fourth), "r"(barrier.at)
      : "memory");
}
/// The same to the same place of every block of the cluster whose bit is set in `blocks`; each
/// one's own barrier is told.
__device__ __forceinline__ void CopyBoxToBlocks(Shared to, const CUtensorMap& tensor,
                                                unsigned second, unsigned third, unsigned fourth,
                                                Barrier barrier, uint16_t blocks) {
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
      ".multicast::cluster [%0], [%1, {%2, %3, %4, %5}], [%6], %7;" ::"r"(to),
      "l"(&tensor), "r"(0), "r"(second), "r"(third), "r"(fourth), "r"(barrier.at), "h"(blocks)
      : "memory");
}

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_BULK_COPY_CUH_
