// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_MERGING_H_
#define STATELIB_CORE_TOKENIZER_MERGING_H_

#include <cstdint>
#include <vector>

#include "core/base/history.h"
#include "core/tokenizer/merge_queue.h"
#include "core/tokenizer/merge_table.h"

namespace statelib::tokenizer {

/// Merges neighbouring tokens of one pre-token until no pair has a merge: always the pair of the
/// lowest rank, the leftmost of equals. Keeps its memory from call to call. One thread.
/// Cost: O(n^2) for a few tokens, where that is faster; O(n log n) beyond.
class Merging {
 public:
  /// `tokens` holds the pre-token's symbols and then the result.
  void Run(const MergeTable& merges, std::vector<TokenId>& tokens);

 private:
  struct Link {
    uint32_t previous;
    uint32_t next;
  };

  void RunShort(const MergeTable& merges, std::vector<TokenId>& tokens);
  void RunLong(const MergeTable& merges, std::vector<TokenId>& tokens);
  void Renew(const MergeTable& merges, const std::vector<TokenId>& tokens, uint32_t place);

  std::vector<Merge> pairs_;  // the merge of each token with the next one
  std::vector<Link> links_;   // the tokens that are left
  MergeQueue queue_;
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_MERGING_H_
