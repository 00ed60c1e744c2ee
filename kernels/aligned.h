// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_ALIGNED_H_
#define STATELIB_KERNELS_ALIGNED_H_

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "kernels/backend.h"

namespace statelib::kernels {

/// A cache line, and the widest vector of any supported processor.
inline constexpr size_t kAlignmentBytes = 64;

struct AlignedDelete {
  void operator()(std::byte* bytes) const {
    ::operator delete(bytes, std::align_val_t(kAlignmentBytes));
  }
};
using AlignedBytes = std::unique_ptr<std::byte, AlignedDelete>;

/// Host memory aligned to a cache line, contents undefined. Errors: std::bad_alloc.
inline AlignedBytes AllocateAligned(size_t bytes) {
  return AlignedBytes(
      static_cast<std::byte*>(::operator new(bytes, std::align_val_t(kAlignmentBytes))));
}

/// A Buffer in host memory.
inline Buffer AllocateHostBuffer(size_t floats) {
  float* data = reinterpret_cast<float*>(AllocateAligned(floats * sizeof(float)).release());
  return Buffer(data, floats,
                [](float* to_free) { AlignedDelete()(reinterpret_cast<std::byte*>(to_free)); });
}

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_ALIGNED_H_
