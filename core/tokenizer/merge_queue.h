// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_MERGE_QUEUE_H_
#define STATELIB_CORE_TOKENIZER_MERGE_QUEUE_H_

#include <cstdint>
#include <optional>
#include <vector>

namespace statelib::tokenizer {

/// Places of a pre-token by the rank of the merge that waits there: lowest rank first, leftmost
/// place first among equals. Merges mostly wait for a rank that comes later, many for the same one;
/// so places lie in one list a rank, sorted when that rank's turn comes, and only ranks are in a
/// heap. A single heap of all places is several times slower on a pre-token of a million bytes.
/// One thread.
class MergeQueue {
 public:
  struct Entry {
    uint32_t rank;
    uint32_t place;
  };

  /// Begins anew, for ranks below `ranks`, which are the same every time. Before, the queue must
  /// have been popped to its end.
  void Reset(uint32_t ranks);
  void Push(const Entry& entry);
  std::optional<Entry> Pop();

 private:
  struct Waiting {
    uint32_t place;
    uint32_t next;  ///< in waiting_
  };

  bool OpenNextRank();

  std::vector<Waiting> waiting_;
  std::vector<uint32_t> first_of_rank_;  // into waiting_
  std::vector<uint32_t> ranks_;          // a heap of ranks whose lists are not empty
  // The rank whose turn it is, with its places in order; those pushed since, of this rank and of
  // lower ones, lie in a heap of their own.
  std::optional<uint32_t> open_rank_;
  std::vector<uint32_t> open_places_;
  size_t open_next_ = 0;
  std::vector<uint64_t> overtaking_;  // a heap of rank and place
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_MERGE_QUEUE_H_
