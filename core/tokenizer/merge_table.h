// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_MERGE_TABLE_H_
#define STATELIB_CORE_TOKENIZER_MERGE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/history.h"
#include "core/tokenizer/seeded_hash.h"

namespace statelib::tokenizer {

/// What two neighbouring tokens become, and how early.
struct Merge {
  uint32_t rank;   ///< lower ranks merge first
  TokenId result;  ///< the token of both texts together
};

/// The merges of a byte-pair encoding by their two tokens: a flat hash table. Thread-compatible.
class MergeTable {
 public:
  /// Room for `merges` merges; further ones are not taken.
  explicit MergeTable(size_t merges = 0);

  /// Adds a merge, in the place of an earlier one of the same two tokens.
  void Set(TokenId left, TokenId right, const Merge& merge);
  /// One more than the highest rank.
  uint32_t ranks() const { return ranks_; }
  /// The merge of two tokens, or null. Valid until the next Set().
  const Merge* Find(TokenId left, TokenId right) const;

 private:
  struct Slot {
    uint64_t pair = 0;
    Merge merge{0, kFree};
  };
  static constexpr TokenId kFree = -1;

  static uint64_t PairOf(TokenId left, TokenId right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }
  size_t SlotOf(uint64_t pair) const;

  SeededHash hash_;
  uint32_t ranks_ = 0;
  std::vector<Slot> slots_;  // a power of two, at most three quarters full
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_MERGE_TABLE_H_
