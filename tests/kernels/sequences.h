// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_KERNELS_SEQUENCES_H_
#define STATELIB_TESTS_KERNELS_SEQUENCES_H_

#include <algorithm>
#include <vector>

#include "kernels/backend.h"

namespace statelib::kernels {

/// A table of sequences in a backend's memory: rows in order, and a state of `state_floats` each,
/// one after the other from `states` on.
class Sequences {
 public:
  Sequences(Backend& backend, const std::vector<size_t>& lengths, float* states,
            size_t state_floats) {
    std::vector<SequenceEntry> entries;
    for (size_t i = 0; i < lengths.size(); ++i) {
      entries.push_back({static_cast<uint32_t>(table_.rows), static_cast<uint32_t>(lengths[i]), 0,
                         reinterpret_cast<std::byte*>(states + i * state_floats), nullptr});
      table_.rows += lengths[i];
      table_.rows_longest = std::max(table_.rows_longest, lengths[i]);
    }
    const auto bytes = std::as_bytes(std::span(entries));
    entries_ = backend.Allocate(bytes.size() / sizeof(float) + 1);
    backend.UploadBytes(bytes, entries_.bytes());
    table_.entries = reinterpret_cast<const SequenceEntry*>(entries_.bytes());
    table_.count = lengths.size();
  }

  const SequenceTable& table() const { return table_; }

 private:
  Buffer entries_;
  SequenceTable table_;
};

/// Token ids in a backend's memory.
inline Buffer IdsInBackend(Backend& backend, const std::vector<int32_t>& ids) {
  Buffer buffer = backend.Allocate(ids.size(), DType::kI32);
  backend.UploadBytes(std::as_bytes(std::span(ids)), buffer.bytes());
  return buffer;
}

}  // namespace statelib::kernels

#endif  // STATELIB_TESTS_KERNELS_SEQUENCES_H_
