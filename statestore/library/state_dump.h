// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_STATE_DUMP_H_
#define STATELIB_STATESTORE_LIBRARY_STATE_DUMP_H_

#include <filesystem>
#include <optional>
#include <string>

#include "core/model_files/tensor_ref.h"
#include "statestore/library/library.h"
#include "statestore/library/models.h"
#include "statestore/library/save.h"

// A state as a safetensors file, for other programs to read and to change. proto/FORMAT.md says
// what its tensors are called and what its metadata holds.
namespace statelib::library {

/// Writes every segment of a state, as it is, into a file; "-" is standard output. Returns the
/// bytes of the segments. Errors: kCorrupt, kNotFound (object); those of WriteSafetensors.
uint64_t DumpState(const Library& library, const storage::ResolvedState& state,
                   const std::filesystem::path& path);

/// Such a file, checked as far as it can be without a library. The file's bytes outlive it.
struct StateDump {
  storage::StateId state;  ///< that it was written from, by its own account, as all that follows
  Digest model;
  std::string profile;
  History history;
  model_files::TensorTable tensors;
  std::string location;  ///< for messages
};

/// Errors: kCorrupt and kUnsupported as ParseSafetensors; kInvalidArgument for a safetensors file
/// that is no dump; kUnsupported for one of another version.
StateDump ReadStateDump(ByteSpan file, const std::string& location);

/// What a dump was loaded as.
struct LoadedDump {
  SavedState saved;
  bool edited = false;
  uint64_t segments_changed = 0;            ///< of the state that it was written from …
  std::optional<storage::StateId> of = {};  ///< … where the library has that one
};

/// The state of the library whose very bytes a dump holds, with its history, under another name.
/// What a file says of its own history is not believed: only a state that is here already is
/// found. Errors: kNotFound when the library does not have the state; kMismatch for other tensors
/// or other numbers, with the first that differs; kCorrupt for NaN and infinity.
LoadedDump LoadDump(Library& library, const StateDump& dump, const storage::Reference& reference);

/// The same, and where the numbers are others, a new state of them: one that no tokens lead to
/// (storage::EditedHistory), of the profile's mark "+edited", whose parent in the lineage is the
/// state that the dump was written from, if that is here. Errors: those of CheckFits and Publish;
/// kMismatch for tensors that are not the model's segments; kCorrupt for NaN and infinity.
LoadedDump LoadEditedDump(Library& library, const LoadedModel& model, const StateDump& dump,
                          const storage::Reference& reference);

/// The state that a dump needs a model for, as ChooseModel takes it.
storage::ResolvedState NeedsOf(const StateDump& dump);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_STATE_DUMP_H_
