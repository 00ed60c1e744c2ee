// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_THINNING_H_
#define STATELIB_STATESTORE_STORAGE_THINNING_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace statelib::storage {

/// A stored state as thinning sees it.
struct ThinningState {
  int64_t key = 0;
  std::optional<int64_t> prefix;  ///< key of the longest shorter state that it was computed from
  uint64_t token_count = 0;
  uint64_t stored_bytes = 0;
  bool may_go = false;  ///< a checkpoint that no version names and no delta needs
};

/// Chooses the checkpoints to remove so that those that may go take at most `bytes_max` together;
/// returns their keys in the order in which they go. One after the other the one of the lowest
/// score goes, which is the recomputation saved a byte:
///   score = n (p - q) / (n - q) / stored_bytes
/// for a checkpoint at token p whose prefix is at token q (0: none) and the longest state computed
/// from which is at token n. Within one document this equals (p - q) / (n - q) up to a factor, so
/// that the gaps that are left grow geometrically from the end to the beginning; the newest
/// checkpoint of an ingest that goes on (p = n) is the last to go. A prefix that is not among
/// `states` counts as none. Time: n log n.
std::vector<int64_t> ChooseThinned(std::span<const ThinningState> states, uint64_t bytes_max);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_THINNING_H_
