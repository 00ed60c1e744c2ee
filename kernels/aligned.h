// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_ALIGNED_H_
#define STATELIB_KERNELS_ALIGNED_H_

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "kernels/memory.h"

namespace statelib::kernels {

/// A cache line, and the widest vector of any supported processor.
inline constexpr size_t kAlignmentBytes = 64;

/// A huge page of x86-64 and of most arm64 systems.
inline constexpr size_t kHugePageBytes = size_t{1} << 21;

struct AlignedDelete {
  void operator()(std::byte* bytes) const { std::free(bytes); }
};
using AlignedBytes = std::unique_ptr<std::byte, AlignedDelete>;

/// Host memory aligned to a cache line, contents undefined; much of it in huge pages where the
/// system has some, for streaming through small ones misses the translation cache all the time.
/// Errors: std::bad_alloc.
inline AlignedBytes AllocateAligned(size_t bytes) {
  const size_t alignment = bytes < 2 * kHugePageBytes ? kAlignmentBytes : kHugePageBytes;
  void* memory = nullptr;
  if (::posix_memalign(&memory, alignment, bytes) != 0) throw std::bad_alloc();
  if (alignment == kHugePageBytes) ::madvise(memory, bytes, MADV_HUGEPAGE);
  return AlignedBytes(static_cast<std::byte*>(memory));
}

/// A Buffer in host memory.
inline Buffer AllocateHostBuffer(size_t elements, DType dtype) {
  const size_t bytes = elements * SizeOf(dtype);
  return Buffer(AllocateAligned(bytes).release(), bytes, dtype,
                [](std::byte* to_free) { AlignedDelete()(to_free); });
}

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_ALIGNED_H_
