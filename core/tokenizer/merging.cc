// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/merging.h"

#include <algorithm>
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

void Merging::Renew(const MergeTable& merges, const std::vector<TokenId>& tokens, uint32_t place) {
  const uint32_t next = links_[place].next;
  pairs_[place] = next == kNone ? kNoMerge : FindMerge(merges, tokens[place], tokens[next]);
  if (pairs_[place].rank != kNoRank) queue_.Push({pairs_[place].rank, place});
}

// An entry of the queue is out of date when another merge waits at its place by now. Merged tokens
// are unlinked, and the right one's pair is cleared.
void Merging::RunLong(const MergeTable& merges, std::vector<TokenId>& tokens) {
  const auto count = static_cast<uint32_t>(tokens.size());
  links_.resize(count);
  pairs_.resize(count);
  queue_.Reset(merges.ranks());
  for (uint32_t i = 0; i < count; ++i) {
    links_[i] = {i == 0 ? kNone : i - 1, i + 1 == count ? kNone : i + 1};
    Renew(merges, tokens, i);
  }
  while (const auto entry = queue_.Pop()) {
    const uint32_t place = entry->place;
    if (pairs_[place].rank != entry->rank) continue;
    const uint32_t right = links_[place].next;
    const uint32_t after = links_[right].next;
    tokens[place] = pairs_[place].result;
    pairs_[right] = kNoMerge;
    links_[place].next = after;
    if (after != kNone) links_[after].previous = place;
    Renew(merges, tokens, place);
    if (const uint32_t before = links_[place].previous; before != kNone) {
      Renew(merges, tokens, before);
    }
  }
  uint32_t kept = 0;
  for (uint32_t at = 0; at != kNone; at = links_[at].next) tokens[kept++] = tokens[at];
  tokens.resize(kept);
}

}  // namespace statelib::tokenizer
