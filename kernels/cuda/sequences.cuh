// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_SEQUENCES_CUH_
#define STATELIB_KERNELS_CUDA_SEQUENCES_CUH_

#include "kernels/memory.h"

namespace statelib::kernels::cuda {

/// One sequence, and the segment of its state that a kernel advances.
struct Sequence {
  unsigned first_row, row_count;
  float* state;
};

/// The sequences of a table as a kernel's argument: where they stand, not what they are, so that a
/// launch stays the same when they change.
struct Sequences {
  Sequences(const SequenceTable& table, size_t offset)
      : entries(table.entries), state_offset(offset) {}

  __device__ __forceinline__ Sequence At(unsigned index) const {
    const SequenceEntry& entry = entries[index];
    return {entry.first_row, entry.row_count, reinterpret_cast<float*>(entry.slot + state_offset)};
  }

  const SequenceEntry* entries;
  size_t state_offset;  // in bytes
};

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_SEQUENCES_CUH_
