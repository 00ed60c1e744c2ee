// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_STATE_LAYOUT_H_
#define STATELIB_CORE_MODEL_STATE_LAYOUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "core/base/segment.h"

namespace statelib::model {

/// How many of its last tokens a segment along the token axis has: all of them.
inline constexpr uint64_t kAllTokens = std::numeric_limits<uint64_t>::max();

/// One segment of a layout. Fixed ones have one size for ever; those along the token axis have
/// the shape of `spec` for each of the last `reach` tokens.
struct LayoutSegment {
  SegmentSpec spec;
  bool is_per_token = false;
  uint64_t reach = 0;

  static LayoutSegment Fixed(SegmentSpec spec) { return {std::move(spec), false, 0}; }
  static LayoutSegment PerToken(SegmentSpec spec, uint64_t reach) {
    return {std::move(spec), true, reach};
  }
};

/// Where a segment along the token axis lies: in the pages of a group, the rows of its page's
/// kPageTokens tokens one after the other from `offset` bytes on.
struct PagePlace {
  size_t group = 0;
  size_t offset = 0;
};

/// How one sequence's state lies in the backend's memory. Its fixed segments share a slot, one
/// after the other in the order of the layout, each on a multiple of 64 bytes. Segments along the
/// token axis share pages of kPageTokens tokens, a page for all of a group: those with the same
/// reach. And a sequence may have a room, where its layers' operations keep inputs
/// (kernels/memory.h). Immutable.
class StateLayout {
 public:
  /// A guess of more rows than this cannot be taken back.
  static constexpr size_t kKeptRowsMax = 16;

  StateLayout() = default;
  /// kept_floats: what all operations together keep of one row.
  StateLayout(std::vector<LayoutSegment> segments, size_t kept_floats);

  const std::vector<LayoutSegment>& segments() const { return segments_; }
  /// What a state is that has read so many tokens: per-token segments have a first axis "token" of
  /// those that they reach.
  StateSpec SpecFor(uint64_t token_count) const;
  /// Of a fixed segment, in bytes.
  size_t OffsetOf(size_t index) const { return places_[index].offset; }
  /// Of one along the token axis.
  PagePlace PageOf(size_t index) const { return places_[index]; }

  size_t slot_bytes() const { return slot_bytes_; }
  size_t room_bytes() const { return room_bytes_; }
  size_t groups() const { return groups_.size(); }
  size_t page_bytes(size_t group) const { return groups_[group].page_bytes; }
  uint64_t reach(size_t group) const { return groups_[group].reach; }
  /// The first position that the segments of a group still have after so many tokens.
  uint64_t FirstKept(size_t group, uint64_t token_count) const {
    return token_count - std::min(token_count, groups_[group].reach);
  }
  /// Calls work(index, offset in a page, bytes of a token) for each segment of a group.
  template <typename Work>
  void ForEachOfGroup(size_t group, const Work& work) const {
    for (size_t i = 0; i < segments_.size(); ++i) {
      if (segments_[i].is_per_token && places_[i].group == group)
        work(i, places_[i].offset, segments_[i].spec.bytes());
    }
  }
  /// Of the segments along the token axis; kF32 where there are none.
  DType token_dtype() const { return token_dtype_; }

 private:
  struct Group {
    uint64_t reach;
    size_t page_bytes;
  };

  size_t GroupOf(uint64_t reach);

  std::vector<LayoutSegment> segments_;
  std::vector<PagePlace> places_;  // as segments_; group unused for fixed ones
  std::vector<Group> groups_;
  size_t slot_bytes_ = 0;
  size_t room_bytes_ = 0;
  DType token_dtype_ = DType::kF32;
};

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_STATE_LAYOUT_H_
