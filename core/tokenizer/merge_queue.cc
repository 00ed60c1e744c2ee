// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/merge_queue.h"

#include <algorithm>
#include <functional>
#include <limits>

namespace statelib::tokenizer {

namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

uint64_t KeyOf(uint32_t rank, uint32_t place) { return uint64_t{rank} << 32 | place; }

}  // namespace

void MergeQueue::Reset(uint32_t ranks) {
  waiting_.clear();
  first_of_rank_.resize(ranks, kNone);  // a queue that was popped to its end has no list left
  ranks_.clear();
  open_rank_.reset();
  open_places_.clear();
  open_next_ = 0;
  overtaking_.clear();
}

void MergeQueue::Push(const Entry& entry) {
  if (open_rank_ && entry.rank <= *open_rank_) {
    overtaking_.push_back(KeyOf(entry.rank, entry.place));
    std::push_heap(overtaking_.begin(), overtaking_.end(), std::greater<>());
    return;
  }
  uint32_t& first = first_of_rank_[entry.rank];
  if (first == kNone) {
    ranks_.push_back(entry.rank);
    std::push_heap(ranks_.begin(), ranks_.end(), std::greater<>());
  }
  waiting_.push_back({entry.place, first});
  first = static_cast<uint32_t>(waiting_.size() - 1);
}

std::optional<MergeQueue::Entry> MergeQueue::Pop() {
  if (open_next_ == open_places_.size() && overtaking_.empty() && !OpenNextRank()) {
    return std::nullopt;
  }
  const bool in_turn = open_next_ < open_places_.size();
  if (!overtaking_.empty() &&
      (!in_turn || overtaking_.front() < KeyOf(*open_rank_, open_places_[open_next_]))) {
    std::pop_heap(overtaking_.begin(), overtaking_.end(), std::greater<>());
    const uint64_t key = overtaking_.back();
    overtaking_.pop_back();
    return Entry{static_cast<uint32_t>(key >> 32), static_cast<uint32_t>(key)};
  }
  return Entry{*open_rank_, open_places_[open_next_++]};
}

bool MergeQueue::OpenNextRank() {
  if (ranks_.empty()) return false;
  std::pop_heap(ranks_.begin(), ranks_.end(), std::greater<>());
  open_rank_ = ranks_.back();
  ranks_.pop_back();
  open_places_.clear();
  open_next_ = 0;
  for (uint32_t at = first_of_rank_[*open_rank_]; at != kNone; at = waiting_[at].next)
    open_places_.push_back(waiting_[at].place);
  first_of_rank_[*open_rank_] = kNone;
  // Places come mostly from left to right, so the list holds them backwards.
  std::reverse(open_places_.begin(), open_places_.end());
  if (!std::is_sorted(open_places_.begin(), open_places_.end())) {
    std::sort(open_places_.begin(), open_places_.end());
  }
  return true;
}

}  // namespace statelib::tokenizer
