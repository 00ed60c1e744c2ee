// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_LOAD_H_
#define STATELIB_STATESTORE_LIBRARY_LOAD_H_

#include <optional>
#include <vector>

#include "core/base/spool.h"
#include "statestore/library/library.h"
#include "statestore/library/models.h"

namespace statelib::library {

/// A stored state as it was read and checked, in the memory of this process.
struct StoredState {
  storage::ResolvedState origin;
  std::vector<Bytes> segments;  ///< in the order of the state spec
  double seconds = 0;           ///< to read and check it
};

/// A stored state in a runtime's memory.
struct LoadedState {
  engine::State state;
  storage::ResolvedState origin;
  double seconds = 0;  ///< to read, check and restore it
};

/// Checks, without touching the state's bytes, that a model can go on from a state.
/// Errors: kMismatch when the state needs another model or another numerics profile, with the one
/// that it needs, the one that was given and what to do.
void CheckFits(const Library& library, const LoadedModel& model,
               const storage::ResolvedState& state);

/// Reads a state for a model, whose runtime may compute meanwhile. Errors: those of CheckFits;
/// kCorrupt, kNotFound (object).
StoredState ReadState(const Library& library, const LoadedModel& model,
                      const storage::ResolvedState& state);
/// Brings it into the runtime's memory, on the thread that uses the runtime. Errors: those of
/// Runtime::Restore.
engine::State Restore(const LoadedModel& model, const StoredState& state);
/// Both. Errors: those of ReadState.
LoadedState LoadState(const Library& library, const LoadedModel& model,
                      const storage::ResolvedState& state);

/// The tokens that a state has read; empty when the library does not keep them. Errors: kCorrupt.
std::optional<RunOf<TokenId>> TokensOf(const Library& library, const storage::StateId& state);
/// The same for what cannot do without them. Errors: also kInvalidArgument when they are not kept,
/// kNotFound when the state was removed since it was resolved.
RunOf<TokenId> TokensOrThrow(const Library& library, const storage::ResolvedState& state);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_LOAD_H_
