// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_ORGANISE_H_
#define STATELIB_STATESTORE_LIBRARY_ORGANISE_H_

#include <string>
#include <vector>

#include "statestore/library/library.h"
#include "statestore/library/save.h"
#include "statestore/storage/maintenance.h"

namespace statelib::library {

/// Makes a stored state the newest version of another reference, in constant time: `tag` and `cp`.
/// `from` is NAME[:TAG][@N] or an id. Errors: those of Resolve; kInvalidArgument when `to` has a
/// version.
SavedState Copy(Library& library, const std::string& from, const storage::Reference& to);

/// A name that has a tag now.
struct TaggedState {
  storage::Reference from;  ///< the version that the tag was set on
  SavedState saved;         ///< what the tag is now
};

/// Sets a tag on the states that texts name, NAME[:TAG][@N] or patterns (selection.h, of which one
/// without a tag means 'latest'): all of them or, after an error, none. Errors: those of Resolve
/// and Select; kInvalidArgument for a state's id, and for two states of one name.
std::vector<TaggedState> SetTag(Library& library, const std::vector<std::string>& texts,
                                const std::string& tag);

/// Gives a reference another name, its versions with it. Errors: kNotFound with the nearest names;
/// kInvalidArgument when `to` exists or either has a version.
void Move(Library& library, const storage::Reference& from, const storage::Reference& to);

/// What gc will remove that it would not have removed before: states with the checkpoints and bases
/// that only they needed, and objects, chunks of tokens too, that nothing else uses.
struct Freed {
  std::vector<storage::StateId> freed_states;
  uint64_t freed_objects = 0;
  uint64_t freed_bytes = 0;
};
void TellFreed(const storage::GarbageForecast& before, const storage::GarbageForecast& now,
               Freed* freed);

/// Errors: kInvalidArgument for a reference with a version.
void RefuseVersion(const storage::Reference& reference);

/// A reference that was removed. What it frees is counted after those that were named before it.
struct RemovedReference : Freed {
  std::string name;
  std::string tag;
  uint64_t versions = 0;
  storage::StateId state;  ///< that it named
};

/// Removes references with all their versions, all of them or, after an error, none; with dry_run
/// only says what would go. Objects stay until gc, so the states can still be named by id.
/// Errors: kNotFound with the nearest names; kInvalidArgument for a reference with a version.
std::vector<RemovedReference> Remove(Library& library,
                                     const std::vector<storage::Reference>& references,
                                     bool dry_run);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_ORGANISE_H_
