// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_PROOF_H_
#define STATELIB_STATESTORE_LIBRARY_PROOF_H_

#include <functional>
#include <vector>

#include "statestore/library/diff.h"
#include "statestore/library/models.h"

namespace statelib::library {

struct RederiveOptions {
  bool from_nothing = false;  ///< trust no stored state
  const CancelFlag* cancel = nullptr;
  std::function<void(uint64_t tokens_done, uint64_t tokens_total)> on_progress;
};

/// What reading a state's tokens again gave.
struct Rederivation {
  storage::ResolvedState state;
  std::string profile;  ///< numerics profile under which it was read
  bool same_profile = false;
  bool equal_bytes = false;
  uint64_t from_tokens = 0;  ///< read by the trusted state that was gone on from; 0: from nothing
  uint64_t tokens_read = 0;
  uint64_t proved_on_the_way = 0;  ///< other states of the same beginning that are proved now too
  /// Those that are not what their tokens give.
  std::vector<storage::StateRow> wrong_on_the_way;
  /// How far apart the segments are, the largest relative distance first; empty when equal.
  std::vector<SegmentDifference> segments;
  double seconds = 0;
};

/// Reads the recorded tokens of a state again, from the longest trusted state that they begin with
/// or from nothing, and compares every byte. Trusted is what was proved itself under the profile
/// of `model`. What comes out equal, on the way too, is recorded as proved, and what does not loses
/// its proofs. A state of another profile than `model` computes is compared as well, and proved
/// only by equal bytes. Errors: kInvalidArgument (tokens not kept), kMismatch (another model, other
/// segments), kCorrupt (a damaged object), kCancelled.
Rederivation Rederive(Library& library, const LoadedModel& model,
                      const storage::ResolvedState& state, const RederiveOptions& options);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_PROOF_H_
