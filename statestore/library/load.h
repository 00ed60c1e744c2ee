// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_LOAD_H_
#define STATELIB_STATESTORE_LIBRARY_LOAD_H_

#include <optional>

#include "core/base/spool.h"
#include "statestore/library/library.h"
#include "statestore/library/models.h"

namespace statelib::library {

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

/// Restores a state. Errors: those of CheckFits; kCorrupt, kNotFound (object).
LoadedState LoadState(const Library& library, const LoadedModel& model,
                      const storage::ResolvedState& state);

/// The tokens that a state has read; empty when the library does not keep them. Errors: kCorrupt.
std::optional<RunOf<TokenId>> TokensOf(const Library& library, const storage::StateId& state);
/// The same for what cannot do without them. Errors: also kInvalidArgument when they are not kept,
/// kNotFound when the state was removed since it was resolved.
RunOf<TokenId> TokensOrThrow(const Library& library, const storage::ResolvedState& state);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_LOAD_H_
