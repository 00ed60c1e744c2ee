// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_STATE_LAYOUT_H_
#define STATELIB_CORE_MODEL_STATE_LAYOUT_H_

#include <cstddef>
#include <vector>

#include "core/base/segment.h"

namespace statelib::model {

/// Where the segments of one sequence's state lie in its slot of the backend's memory: one after
/// the other in the order of the spec, each on a multiple of 64 bytes. Immutable.
class StateLayout {
 public:
  StateLayout() = default;
  explicit StateLayout(StateSpec spec);

  const StateSpec& spec() const { return spec_; }
  /// Of segment `index` of the spec, in bytes.
  size_t OffsetOf(size_t index) const { return offsets_[index]; }
  size_t slot_bytes() const { return slot_bytes_; }

 private:
  StateSpec spec_;
  std::vector<size_t> offsets_;
  size_t slot_bytes_ = 0;
};

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_STATE_LAYOUT_H_
