// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/save.h"

#include <algorithm>
#include <chrono>

#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "kernels/profile.h"
#include "statestore/library/load.h"
#include "statestore/library/prompt_card.h"
#include "statestore/storage/segment_codec.h"
#include "statestore/storage/state_object.h"

namespace statelib::library {

namespace {

void CheckTokens(const engine::State& state, const SaveRequest& request) {
  History history = request.parent ? request.parent->state.history : History();
  const uint64_t after = state.token_count() - std::min(state.token_count(), history.token_count());
  request.tokens.Last(after).ForEach(
      [&](std::span<const TokenId> piece) { history.Append(piece); });
  if (history == state.history()) return;
  Throw(ErrorKind::kInvalidArgument,
        "[save] the state has read {} tokens, its parent and the tokens given make {}, or others",
        state.token_count(), history.token_count());
}

/// What a state was continued from, and thus what goes on from it. The index knows that it was, its
/// object the rest.
std::vector<storage::Continuation> ContinuedFrom(const Library& library,
                                                 const storage::ResolvedState& state) {
  if (!kernels::Profile::Parse(state.state.profile).continued) return {};
  const storage::ObjectStore& objects = library.repository().objects();
  const MappedFile object = objects.Map(state.state.id);
  return storage::StateReader(object.bytes(), objects.PathOf(state.state.id).string(),
                              storage::FileHash::kUnchecked)
      .header()
      .description.continued_from;
}

}  // namespace

void RememberPlace(Library& library, const LoadedModel& model) {
  storage::Index& index = library.repository().index();
  const auto known = index.models().Find(model.identity.fingerprint);
  const bool is_placed =
      known && (known->path == model.place.directory.string() ||
                (!known->path.empty() && std::filesystem::is_directory(known->path)));
  storage::ModelRow row = known.value_or(storage::ModelRow{});
  if (is_placed && !KeepPromptCard(library, row)) return;
  index.Write([&] {
    index.models().Learn(model.identity, model.place.name, library.now_ms());
    row = index.models().Get(model.identity.fingerprint);
    if (!is_placed) {
      row.path = model.place.directory.string();
      row.tokenizer_path = model.place.tokenizer.string();
    }
    KeepPromptCard(library, row);
    index.models().Put(row);
  });
}

storage::NewState NewStateOf(const Library& library, const LoadedModel& model,
                             const engine::State& state, std::span<const ByteSpan> segments,
                             const RunOf<TokenId>& tokens, bool keep_tokens,
                             const std::optional<storage::StateRow>& prefix) {
  storage::NewState fresh;
  fresh.description.model = model.identity;
  fresh.description.profile = model.runtime->profile();
  fresh.description.history = state.history();
  fresh.description.spec = model.runtime->SpecFor(state.token_count());
  fresh.description.tokens_kept = keep_tokens;
  fresh.segments = segments;
  fresh.model_name = model.place.name;
  fresh.tokens = tokens;
  fresh.tokens_after = tokens;
  if (prefix) fresh.prefix = prefix->id;
  if (prefix && prefix->tokens_kept) {
    fresh.chunks_before = library.repository().index().states().ChunksOf(prefix->id);
    const uint64_t after = state.token_count() - prefix->history.token_count();
    fresh.tokens_after = tokens.Last(after);
  }
  return fresh;
}

SavedState SaveState(Library& library, const LoadedModel& model, const engine::State& state,
                     const SaveRequest& request) {
  const auto start = std::chrono::steady_clock::now();
  CheckTokens(state, request);
  const bool lossy = storage::IsLossy(request.codec.codec);
  ApproximateState near;
  if (lossy) near = ApproximateAndMeasure(model, state, request.codec);
  const std::vector<Bytes> segments =
      lossy ? std::move(near.segments) : model.runtime->Snapshot(state);
  const std::vector<ByteSpan> views(segments.begin(), segments.end());
  std::optional<storage::StateRow> prefix = request.prefix;
  if (!prefix && request.parent) prefix = request.parent->state;

  storage::NewState fresh = NewStateOf(
      library, model, state, views, request.tokens,
      request.keep_tokens && (!request.parent || request.parent->state.tokens_kept), prefix);
  fresh.description.profile = storage::ProfileAfter(
      request.parent ? request.parent->state.profile : model.runtime->profile(),
      request.codec.codec);
  if (request.parent) fresh.description.continued_from = ContinuedFrom(library, *request.parent);
  fresh.codec = request.codec.codec;
  fresh.whole = request.whole;
  if (lossy) fresh.fidelity = near.fidelity;
  storage::Derivation derivation;
  derivation.operation = request.operation;
  fresh.texts = request.texts;
  derivation.sources = request.sources;
  derivation.text_template = request.text_template;
  if (const auto& parent = request.parent ? request.parent : request.made_from) {
    derivation.parent_state = parent->state.id;
    derivation.parent = parent->derivation;
  }
  const storage::PublishedState published = storage::Publish(
      library.repository(), fresh, derivation, request.reference, library.now_ms());
  RememberPlace(library, model);

  SavedState saved{
      request.reference, published.state, published.stored_before, published.version_before, 0,
      fresh.fidelity,    published.delta};
  saved.reference.version = published.version;
  saved.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return saved;
}

bool ChangesState(const storage::StateRow& state, storage::Codec codec) {
  if (storage::IsLossy(codec)) return storage::ProfileAfter(state.profile, codec) != state.profile;
  const bool as_delta = codec == storage::Codec::kDelta;
  const bool lossless = kernels::Profile::Parse(state.profile).marks.empty();
  return lossless && as_delta != state.base.has_value();
}

SavedState Recode(Library& library, const LoadedModel& model, const storage::ResolvedState& base,
                  const storage::Reference& reference, const CodecRequest& codec) {
  if (!ChangesState(base.state, codec.codec)) {
    Throw(ErrorKind::kInvalidArgument,
          "the state {} is of the profile {}{}: storing it as {} changes nothing; recode an exact "
          "state (`statelib log` shows the versions)",
          base.state.id.ShortHex(), base.state.profile, base.state.base ? ", a delta" : "",
          storage::NameOf(codec.codec));
  }
  const LoadedState loaded = LoadState(library, model, base);
  SaveRequest request;
  request.reference = reference;
  request.operation = storage::Operation::kRecode;
  request.parent = base;
  request.codec = codec;
  request.whole = codec.codec == storage::Codec::kExact;
  return SaveState(library, model, loaded.state, request);
}

}  // namespace statelib::library
