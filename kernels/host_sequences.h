// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_HOST_SEQUENCES_H_
#define STATELIB_KERNELS_HOST_SEQUENCES_H_

#include <cstring>
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

/// The rows after which the state is, in a sequence's own numbers.
inline size_t SettledRows(const SequenceEntry& sequence) {
  return sequence.row_count - sequence.open_rows;
}

/// What the pass before has kept from `offset` bytes of its room on, and where this one keeps it.
inline const float* KeptBefore(const SequenceEntry& sequence, size_t offset) {
  return reinterpret_cast<const float*>(sequence.kept_before + offset);
}
inline float* KeptNow(const SequenceEntry& sequence, size_t offset) {
  return reinterpret_cast<float*>(sequence.kept + offset);
}

/// Keeps columns [begin, end) of the open rows of x, [rows, width], as rows of `width` from
/// `offset` bytes of the room on.
inline void KeepOpenRows(const SequenceEntry& sequence, ConstRows x, size_t begin, size_t end,
                         size_t offset) {
  const float* from = x.f32() + (sequence.first_row + SettledRows(sequence)) * x.stride;
  for (size_t i = 0; i < sequence.open_rows; ++i) {
    std::memcpy(KeptNow(sequence, offset) + i * x.cols + begin, from + i * x.stride + begin,
                (end - begin) * sizeof(float));
  }
}

/// Where the kept inputs of a scan begin, one after the other from `kept` bytes of the room on:
/// time steps [W, steps], x [W, channels], B [W, states of all groups].
struct KeptScanInputs {
  KeptScanInputs(const SequenceTable& table, size_t kept, size_t steps, size_t channels)
      : dt(kept),
        x(dt + table.kept_rows_max * steps * sizeof(float)),
        b(x + table.kept_rows_max * channels * sizeof(float)) {}

  size_t dt, x, b;
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_HOST_SEQUENCES_H_
