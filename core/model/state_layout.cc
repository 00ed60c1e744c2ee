// SPDX-License-Identifier: Apache-2.0
#include "core/model/state_layout.h"

#include <algorithm>
#include <utility>

#include "kernels/memory.h"

namespace statelib::model {

namespace {

constexpr size_t kAlignmentBytes = 64;

size_t Aligned(size_t bytes) {
  return (bytes + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes;
}

}  // namespace

StateLayout::StateLayout(std::vector<LayoutSegment> segments, size_t kept_floats)
    : segments_(std::move(segments)), room_bytes_(kKeptRowsMax * kept_floats * sizeof(float)) {
  for (const LayoutSegment& segment : segments_) {
    if (!segment.is_per_token) {
      places_.push_back({0, slot_bytes_});
      slot_bytes_ += Aligned(segment.spec.bytes());
      continue;
    }
    const size_t group = GroupOf(segment.reach);
    places_.push_back({group, groups_[group].page_bytes});
    groups_[group].page_bytes += Aligned(kernels::kPageTokens * segment.spec.bytes());
    token_dtype_ = segment.spec.dtype;
  }
}

size_t StateLayout::GroupOf(uint64_t reach) {
  for (size_t group = 0; group < groups_.size(); ++group)
    if (groups_[group].reach == reach) return group;
  groups_.push_back({reach, 0});
  return groups_.size() - 1;
}

StateSpec StateLayout::SpecFor(uint64_t token_count) const {
  StateSpec spec;
  for (const LayoutSegment& segment : segments_) {
    spec.push_back(segment.spec);
    if (!segment.is_per_token) continue;
    spec.back().shape.insert(spec.back().shape.begin(),
                             static_cast<int64_t>(std::min(token_count, segment.reach)));
    spec.back().axes = "token," + spec.back().axes;
  }
  return spec;
}

}  // namespace statelib::model
