// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/merge_table.h"

#include <algorithm>
#include <bit>

namespace statelib::tokenizer {

MergeTable::MergeTable(size_t merges) : slots_(std::bit_ceil(merges + merges / 3 + 2)) {}

size_t MergeTable::SlotOf(uint64_t pair) const {
  const size_t mask = slots_.size() - 1;
  size_t at = hash_(pair) & mask;
  while (slots_[at].merge.result != kFree && slots_[at].pair != pair) at = (at + 1) & mask;
  return at;
}

void MergeTable::Set(TokenId left, TokenId right, const Merge& merge) {
  const uint64_t pair = PairOf(left, right);
  slots_[SlotOf(pair)] = {pair, merge};
  ranks_ = std::max(ranks_, merge.rank + 1);
}

const Merge* MergeTable::Find(TokenId left, TokenId right) const {
  const Slot& slot = slots_[SlotOf(PairOf(left, right))];
  return slot.merge.result == kFree ? nullptr : &slot.merge;
}

}  // namespace statelib::tokenizer
