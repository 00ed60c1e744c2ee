// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_SAVE_H_
#define STATELIB_STATESTORE_LIBRARY_SAVE_H_

#include <optional>
#include <span>
#include <vector>

#include "statestore/library/fidelity.h"
#include "statestore/library/library.h"
#include "statestore/library/models.h"
#include "statestore/storage/publish.h"

namespace statelib::library {

/// How a state that is to be saved came to be.
struct SaveRequest {
  storage::Reference reference;  ///< where to; without a version
  storage::Operation operation = storage::Operation::kGenerate;
  std::optional<storage::ResolvedState> parent;  ///< the stored state that it goes on from
  /// Ends with the last token that it has read and has all since its parent; better all of them, if
  /// the parent keeps its own, so that the state can be stored whole should the parent be removed
  /// meanwhile.
  RunOf<TokenId> tokens;
  /// The stored state that it was computed from, where that is a longer one than the parent.
  std::optional<storage::StateRow> prefix;
  /// The stored state whose tokens it has read a part of: its parent in the lineage, where it does
  /// not go on from one.
  std::optional<storage::ResolvedState> made_from;
  std::vector<storage::SourceRecord> sources;
  storage::SourceTemplate text_template;   ///< what stands around the sources in what was read
  std::vector<storage::SourceText> texts;  ///< of the sources; stored only where tokens are kept
  bool keep_tokens = true;                 ///< has no effect when the parent's tokens are not kept
  CodecRequest codec;                      ///< a lossy one is measured before anything is stored
  bool whole = false;                      ///< see storage::NewState
};

/// A state's value, in the memory of this process, as it is to be stored.
struct StateValue {
  History history;
  std::vector<Bytes> segments;                     ///< in the order of the state spec
  std::optional<storage::Fidelity> fidelity = {};  ///< what a lossy codec cost
};

/// Takes it, on the thread that uses the model's runtime; through a lossy codec, whose loss is
/// measured. Errors: those of ApproximateAndMeasure.
StateValue TakeValue(const LoadedModel& model, const engine::State& state,
                     const CodecRequest& codec = {});

/// What was saved, and as what.
struct SavedState {
  storage::Reference reference;  ///< with the version that it is
  storage::StateRow state;
  bool stored_before = false;   ///< the library held this very state already
  bool version_before = false;  ///< the reference named it already: nothing was changed
  double seconds = 0;
  std::optional<storage::Fidelity> fidelity = {};  ///< what a lossy codec cost
  std::optional<storage::DeltaSizes> delta = {};   ///< what became of the codec delta
};

/// What storage stores of a state that has read `history`. `segments` is its snapshot. `tokens`
/// ends with the state's last token and has all that it has read, or at least what it has read
/// since `prefix`. All views outlive the result.
storage::NewState NewStateOf(const Library& library, const LoadedModel& model,
                             const History& history, std::span<const ByteSpan> segments,
                             const RunOf<TokenId>& tokens, bool keep_tokens,
                             const std::optional<storage::StateRow>& prefix);

/// A model that made a state is found again without --model from then on, and can be asked.
void RememberPlace(Library& library, const LoadedModel& model);

/// Stores a state as the newest version of a reference. What the reference named before stays as an
/// older version. Errors: kInvalidArgument (a reference with a version; tokens that do not lead
/// from the parent to the state); those of TakeValue and Publish.
SavedState SaveState(Library& library, const LoadedModel& model, const engine::State& state,
                     const SaveRequest& request);
/// The same of a value that was taken with the codec of the request. The runtime may compute
/// meanwhile.
SavedState SaveState(Library& library, const LoadedModel& model, const StateValue& value,
                     const SaveRequest& request);

/// Whether Recode has something to do: a lossy codec that the state's values have not gone through,
/// kDelta for a state that no lossy one has made and that is no delta, kExact for a delta.
bool ChangesState(const storage::StateRow& state, storage::Codec codec);

/// Stores a state in another codec as the newest version of a reference: through a lossy one its
/// values go, and what that cost is measured and stored with it; as a delta, where that is smaller
/// (see Publish), and whole again it has the same values. Errors: kInvalidArgument unless
/// ChangesState, or when the loss is too large (see ApproximateAndMeasure); those of LoadState and
/// SaveState.
SavedState Recode(Library& library, const LoadedModel& model, const storage::ResolvedState& base,
                  const storage::Reference& reference, const CodecRequest& codec);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_SAVE_H_
