// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_HOST_SEQUENCES_H_
#define STATELIB_KERNELS_HOST_SEQUENCES_H_

#include <span>

#include "kernels/memory.h"

namespace statelib::kernels {

/// The sequences of a table in host memory.
inline std::span<const SequenceEntry> HostEntries(const SequenceTable& table) {
  return {table.entries, table.count};
}

/// The segment that begins at `offset` bytes of a sequence's slot in host memory.
inline float* StateOf(const SequenceEntry& sequence, size_t offset) {
  return reinterpret_cast<float*>(sequence.slot + offset);
}

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_HOST_SEQUENCES_H_
