// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/merging.h"

#include <algorithm>
#include <functional>
#include <limits>

namespace statelib::tokenizer {

namespace {

constexpr uint32_t kNoRank = std::numeric_limits<uint32_t>::max();
constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
constexpr Merge kNoMerge{kNoRank, -1};

// Words are mostly shorter; a linear search of this many ranks is cheaper than a heap.
constexpr size_t kShortMax = 48;

Merge FindMerge(const MergeTable& merges, TokenId left, TokenId right) {
  const Merge* merge = merges.Find(left, right);
  return merge == nullptr ? kNoMerge : *merge;
}

}  // namespace

void Merging::Run(const MergeTable& merges, std::vector<TokenId>& tokens) {
  if (tokens.size() < 2) return;
  if (tokens.size() <= kShortMax) {
    RunShort(merges, tokens);
  } else {
    RunLong(merges, tokens);
  }
}

void Merging::RunShort(const MergeTable& merges, std::vector<TokenId>& tokens) {
  pairs_.clear();
  for (size_t i = 0; i + 1 < tokens.size(); ++i)
    pairs_.push_back(FindMerge(merges, tokens[i], tokens[i + 1]));
  while (!pairs_.empty()) {
    const auto best =
        std::min_element(pairs_.begin(), pairs_.end(),
                         [](const Merge& a, const Merge& b) { return a.rank < b.rank; });
    if (best->rank == kNoRank) return;
    const auto at = best - pairs_.begin();
    const auto place = static_cast<size_t>(at);
    tokens[place] = best->result;
    tokens.erase(tokens.begin() + at + 1);
    pairs_.erase(best);
    if (place > 0) pairs_[place - 1] = FindMerge(merges, tokens[place - 1], tokens[place]);
    if (place < pairs_.size()) {
      pairs_[place] = FindMerge(merges, tokens[place], tokens[place + 1]);
    }
  }
}

// The heap orders by rank and then by place. An entry is out of date when the merge at its place is
// another one by now; merged tokens are unlinked, and the right one's pair is cleared.
void Merging::RunLong(const MergeTable& merges, std::vector<TokenId>& tokens) {
  const auto count = static_cast<uint32_t>(tokens.size());
  const auto push = [&](uint32_t place) {
    if (pairs_[place].rank == kNoRank) return;
    queue_.push_back(uint64_t{pairs_[place].rank} << 32 | place);
    std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
  };
  const auto look_up = [&](uint32_t place) {
    const uint32_t next = links_[place].next;
    pairs_[place] = next == kNone ? kNoMerge : FindMerge(merges, tokens[place], tokens[next]);
  };

  links_.resize(count);
  pairs_.resize(count);
  queue_.clear();
  for (uint32_t i = 0; i < count; ++i) {
    links_[i] = {i == 0 ? kNone : i - 1, i + 1 == count ? kNone : i + 1};
    look_up(i);
    if (pairs_[i].rank != kNoRank) queue_.push_back(uint64_t{pairs_[i].rank} << 32 | i);
  }
  std::make_heap(queue_.begin(), queue_.end(), std::greater<>());

  while (!queue_.empty()) {
    std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
    const auto rank = static_cast<uint32_t>(queue_.back() >> 32);
    const auto place = static_cast<uint32_t>(queue_.back());
    queue_.pop_back();
    if (pairs_[place].rank != rank) continue;
    const uint32_t right = links_[place].next;
    const Link after = links_[right];
    tokens[place] = pairs_[place].result;
    pairs_[right] = kNoMerge;
    links_[place].next = after.next;
    if (after.next != kNone) links_[after.next].previous = place;
    look_up(place);
    push(place);
    if (const uint32_t before = links_[place].previous; before != kNone) {
      look_up(before);
      push(before);
    }
  }

  uint32_t kept = 0;
  for (uint32_t at = 0; at != kNone; at = links_[at].next) tokens[kept++] = tokens[at];
  tokens.resize(kept);
}

}  // namespace statelib::tokenizer
