// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_PUBLISH_H_
#define STATELIB_STATESTORE_STORAGE_PUBLISH_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/spool.h"
#include "statestore/storage/repository.h"

namespace statelib::storage {

/// A state that is to be stored under a name.
struct NewState {
  /// `chunks` is left empty: they follow from the members below when tokens_kept is true.
  StateDescription description;
  std::vector<TokenChunk> chunks_before;  ///< the history of `prefix`
  RunOf<TokenId> tokens_after;            ///< what the state has read since
  /// All that it has read, for the case that `chunks_before` are gone by now; empty: not known.
  RunOf<TokenId> tokens;
  std::optional<StateId> prefix;       ///< the stored state that this one was computed from
  std::span<const ByteSpan> segments;  ///< as description.spec
  std::vector<SourceText> texts;       ///< of the derivation's sources, for searching
  std::string model_name;              ///< for messages of other machines; may be empty
  Codec codec = Codec::kExact;         ///< a lossy one needs segments from Approximate
  std::optional<Fidelity> fidelity;    ///< of a lossy one
  /// Stores the state whole even where an equal one is stored as a delta.
  bool whole = false;
};

/// How small a state is that was to be stored as a delta.
struct DeltaSizes {
  bool used = false;            ///< it is stored as one; else as exact
  std::optional<StateId> base;  ///< empty: there is none
  uint64_t delta_bytes = 0;     ///< 0 without a base
  uint64_t exact_bytes = 0;
};

struct PublishedState {
  StateRow state;
  uint64_t version = 0;
  bool stored_before = false;            ///< the library held this very state already
  bool version_before = false;           ///< the reference named it already, so nothing was changed
  int64_t derivation = 0;                ///< key; 0 when nothing was changed
  std::optional<DeltaSizes> delta = {};  ///< where that was asked for
};

/// Stores a state that nobody named, as a checkpoint of an ingest that goes on, in the same order
/// as Publish. Errors: as Publish.
StateRow PublishCheckpoint(Repository& repository, const NewState& state, int64_t now_ms);

/// Stores a state, its history and its lineage and makes it the newest version of a reference, in
/// the order that a crash can interrupt anywhere: objects first, each durable, then one
/// transaction. `derivation` says how the state came to be; its state and token count are filled in
/// here. With kDelta the state becomes a difference to the base that IndexStates::FindBase gives
/// for its prefix where that saves a hundredth or more, for its base has to be kept; else it is
/// stored as exact. Errors: kInvalidArgument, kIo, kBusy; kCorrupt for a state that holds NaN or
/// infinity; then the library is as it was.
PublishedState Publish(Repository& repository, const NewState& state, Derivation derivation,
                       const Reference& reference, int64_t now_ms);

/// Makes a state that the library holds the newest version of a reference, unless it is its current
/// one already and not one that was ingested from other documents, or otherwise. Call within
/// Index::Write. Errors: kInvalidArgument when `reference` has a version.
PublishedState NameState(Index& index, const StateRow& state, Derivation derivation,
                         const Reference& reference, int64_t now_ms);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_PUBLISH_H_
