// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_HISTORY_H_
#define STATELIB_STATESTORE_LIBRARY_HISTORY_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "statestore/library/models.h"
#include "statestore/library/save.h"

// Going back and forth in what a name has stood for, and in what a state has read.
namespace statelib::library {

/// A name that stands for another of its versions now. No version is ever lost by that.
struct MovedReference {
  storage::Reference before;  ///< with the version that it named
  storage::Reference now;     ///< with the one that it names
  storage::StateRow state;
};

/// Makes the version that NAME[:TAG]@N or NAME[:TAG]@{MOMENT} names the current one of its name.
/// Errors: kInvalidArgument when the text names no version; those of Resolve.
MovedReference Checkout(Library& library, const std::string& text);

/// Takes back the last move of a name that has not been taken back: a new version, a checkout, or a
/// tag that was set on another state. Errors: kNotFound with the nearest names; kInvalidArgument
/// when the name has never moved, or has a version.
MovedReference Undo(Library& library, const storage::Reference& reference);

/// Gives a stored state a name of its own, in constant time, from which it can grow apart. Errors:
/// those of Copy; kInvalidArgument when `to` exists.
SavedState Branch(Library& library, const std::string& from, const storage::Reference& to);

struct StateAtOptions {
  std::optional<storage::Reference> save_as;
  const CancelFlag* cancel = nullptr;
  std::function<void(uint64_t tokens_done, uint64_t tokens_total)> on_progress;
};

struct StateAtResult {
  uint64_t token_count = 0;  ///< that the state has read
  History history;
  Digest content;  ///< of the state (state_object.h)
  uint64_t tokens_restored = 0;
  uint64_t tokens_read = 0;
  std::vector<TokenId> before;  ///< some tokens up to the place
  std::vector<TokenId> after;   ///< and some from there on
  std::optional<SavedState> saved;
};

/// The state after the first `token_count` tokens of a stored state: the nearest one that is
/// stored, and the rest read. Errors: kInvalidArgument for a place outside the history or a state
/// whose tokens are not kept; kCancelled; those of LoadState and SaveState.
StateAtResult StateAt(Library& library, const LoadedModel& model,
                      const storage::ResolvedState& state, uint64_t token_count,
                      const StateAtOptions& options);

enum class SourceChange {
  kNone,
  kMoved,  ///< where the file was, nothing is, and a file with its bytes lies elsewhere
  kChanged,
  kMissing,  ///< where the file was, nothing is
  kUnknown,  ///< it never was a file of this machine
};
const char* NameOf(SourceChange change);  ///< "unchanged", "moved", "changed", …

/// A document that a state has read, and its file now.
struct SourceStatus {
  storage::SourceRecord source;
  SourceChange change = SourceChange::kUnknown;
  uint64_t size_now = 0;      ///< where there is a file
  std::string path_now = {};  ///< of one that has moved
};

/// Whether what a document is now is not what was read.
bool IsOutOfDate(SourceChange change);

/// The documents that went into a state and those it goes on from, in the order in which they were
/// read, each compared with its file: path, size, and where the size is the same, digest. A
/// document without a path is looked for by its name in the current folder. One that is not where
/// it was is looked for by its bytes in the folders of all of them and below, among 100,000 files
/// at most, those apart that are other documents of the state. Errors: kInvalidArgument for a state
/// that was named by id.
std::vector<SourceStatus> StatusOf(const Library& library, const storage::ResolvedState& state);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_HISTORY_H_
