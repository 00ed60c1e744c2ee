// SPDX-License-Identifier: Apache-2.0
#include "core/model/state_layout.h"

#include <utility>

namespace statelib::model {

namespace {

constexpr size_t kAlignmentBytes = 64;

}  // namespace

StateLayout::StateLayout(StateSpec spec) : spec_(std::move(spec)) {
  for (const SegmentSpec& segment : spec_) {
    offsets_.push_back(slot_bytes_);
    slot_bytes_ += (segment.bytes() + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes;
  }
}

}  // namespace statelib::model
