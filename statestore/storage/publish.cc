// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/publish.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/base/error.h"
#include "statestore/storage/finite.h"
#include "statestore/storage/state_object.h"
#include "statestore/storage/token_history.h"

namespace statelib::storage {

namespace {

/// Whether every object of a state is there and undamaged: what must hold before it is taken for
/// stored. Storing it anew is also how damage is repaired.
bool IsSound(const Repository& repository, const StateRow& row) {
  if (!repository.IsSound(row)) return false;
  for (const TokenChunk& chunk : repository.index().states().ChunksOf(row.id)) {
    if (!repository.objects().IsSound(chunk.id)) return false;
  }
  return true;
}

bool AreThere(const ObjectStore& objects, std::span<const TokenChunk> chunks) {
  return std::all_of(chunks.begin(), chunks.end(),
                     [&](const TokenChunk& chunk) { return objects.Exists(chunk.id); });
}

/// Puts the tokens objects. gc may have taken those of the state that this one goes on from, if it
/// was removed since the caller looked.
std::vector<TokenChunk> PutTokens(ObjectStore& objects, const NewState& state) {
  const uint64_t wanted = state.description.history.token_count();
  uint64_t known = state.tokens_after.size();
  for (const TokenChunk& chunk : state.chunks_before) known += chunk.token_count;
  if (known == wanted && AreThere(objects, state.chunks_before))
    return AppendTokens(objects, state.chunks_before, state.tokens_after);
  if (state.tokens.size() == wanted) return AppendTokens(objects, {}, state.tokens);
  Throw(ErrorKind::kNotFound,
        "the tokens of the state that this one goes on from were removed meanwhile: expected {}, "
        "found {}; nothing was changed",
        wanted, state.tokens_after.size());
}

/// A state's object as a difference, if there is a base for it and whatever it saves.
std::optional<EncodedObject> EncodeDelta(const Repository& repository, const NewState& state,
                                         const StateDescription& description, const Digest& content,
                                         DeltaSizes* sizes) {
  if (!state.prefix) return std::nullopt;
  const auto row = repository.index().states().FindBase(*state.prefix, description);
  if (!row || !repository.objects().IsSound(row->id)) return std::nullopt;
  const StateRecord base =
      DecodeState(repository.objects().Get(row->id), repository.objects().PathOf(row->id).string(),
                  FileHash::kChecked);
  if (base.description.spec != description.spec) return std::nullopt;
  const std::vector<ByteSpan> views(base.segments.begin(), base.segments.end());
  const DeltaBase delta_base{row->id, views};
  EncodedObject object =
      EncodeState(description, state.segments, content, Codec::kDelta, {}, &delta_base);
  sizes->base = row->id;
  sizes->delta_bytes = object.bytes.size();
  return object;
}

/// A state's object in the codec that is asked for; a delta where it saves a hundredth or more.
EncodedObject Encode(const Repository& repository, const NewState& state,
                     const StateDescription& description, const Digest& content,
                     std::optional<DeltaSizes>* delta) {
  if (state.codec != Codec::kDelta)
    return EncodeState(description, state.segments, content, state.codec, state.fidelity);
  EncodedObject exact = EncodeState(description, state.segments, content);
  DeltaSizes& sizes = delta->emplace();
  sizes.exact_bytes = exact.bytes.size();
  std::optional<EncodedObject> smaller =
      EncodeDelta(repository, state, description, content, &sizes);
  sizes.used = smaller && smaller->bytes.size() * 100 <= exact.bytes.size() * 99;
  return sizes.used ? std::move(*smaller) : std::move(exact);
}

void CheckFinite(const NewState& state) {
  const StateSpec& spec = state.description.spec;
  for (size_t i = 0; i < spec.size(); ++i) {
    if (IsFinite(spec[i], state.segments[i])) continue;
    Throw(ErrorKind::kCorrupt,
          "the state holds NaN or infinity in {}, so nothing was stored; the model's weights are "
          "damaged, or too large for the format they are held in: `statelib model check` compares "
          "what it computes",
          spec[i].Label());
  }
}

/// Puts the state's objects unless the library has an equal state, stored as it is to be, whose
/// objects are in place.
StateRow PutObjects(Repository& repository, const NewState& state, StateDescription* description,
                    std::optional<DeltaSizes>* delta, int64_t now_ms) {
  CheckFinite(state);
  StateHeader header{*description, ContentDigest(description->spec, state.segments), {}, {}, {}};
  auto equal = repository.index().states().FindEqual(RowOf({}, header, 0, now_ms));
  if (equal && !IsSound(repository, *equal)) equal.reset();
  const bool as_delta = state.codec == Codec::kDelta;
  if (equal && !as_delta && !(state.whole && equal->base)) return *equal;
  if (description->tokens_kept) description->chunks = PutTokens(repository.objects(), state);
  const EncodedObject object = Encode(repository, state, *description, header.content, delta);
  if (equal && as_delta) {
    DeltaSizes& sizes = delta->value();
    if (equal->base) sizes = {true, equal->base, equal->stored_bytes, sizes.exact_bytes};
    if (equal->base || !sizes.used) return *equal;
  }
  if (as_delta && delta->value().used) header.base = delta->value().base;
  repository.objects().Put(object);
  return RowOf(object.id, header, object.bytes.size(), now_ms);
}

/// Puts the objects and then, in one transaction, adds the rows and whatever else `more` does.
StateRow Store(Repository& repository, const NewState& state, std::optional<DeltaSizes>* delta,
               int64_t now_ms,
               const std::function<void(const StateRow&, bool stored_before)>& more) {
  const Lease lease = repository.WriteLease();
  StateDescription description = state.description;
  const StateRow row = PutObjects(repository, state, &description, delta, now_ms);
  Index& index = repository.index();
  index.Write([&] {
    const bool stored_before = index.states().Find(row.id).has_value();
    index.models().Learn(description.model, state.model_name, now_ms);
    index.states().Add(row, description.chunks);
    if (state.prefix) index.states().LinkPrefix(row.id, *state.prefix);
    more(row, stored_before);
  });
  return row;
}

/// Whether two derivations read the same documents in the same way.
bool ReadTheSame(const Derivation& a, const Derivation& b) {
  const auto same = [](const SourceRecord& x, const SourceRecord& y) {
    return x.size_bytes == y.size_bytes && x.digest == y.digest;
  };
  return a.text_template == b.text_template &&
         std::equal(a.sources.begin(), a.sources.end(), b.sources.begin(), b.sources.end(), same);
}

}  // namespace

StateRow PublishCheckpoint(Repository& repository, const NewState& state, int64_t now_ms) {
  std::optional<DeltaSizes> delta;
  return Store(repository, state, &delta, now_ms, [&](const StateRow& row, bool) {
    repository.index().checkpoints().Mark(row.id, now_ms);
  });
}

PublishedState Publish(Repository& repository, const NewState& state, Derivation derivation,
                       const Reference& reference, int64_t now_ms) {
  CheckName(reference.name);
  CheckTag(reference.tag);
  PublishedState published;
  std::optional<DeltaSizes> delta;
  Index& index = repository.index();
  Store(repository, state, &delta, now_ms, [&](const StateRow& row, bool stored_before) {
    published = NameState(index, row, std::move(derivation), reference, now_ms);
    published.stored_before = stored_before;
    published.delta = delta;
    index.checkpoints().Finish(row.id);
    if (published.version_before || !state.description.tokens_kept) return;
    for (const SourceText& text : state.texts) index.texts().Add(published.derivation, text);
  });
  return published;
}

PublishedState NameState(Index& index, const StateRow& state, Derivation derivation,
                         const Reference& reference, int64_t now_ms) {
  if (reference.version) {
    Throw(ErrorKind::kInvalidArgument,
          "{}: a version cannot be written to; leave out '@{}' to add the next one",
          reference.Text(), *reference.version);
  }
  const auto current = index.references().FindVersion(reference.name, reference.tag, std::nullopt);
  // What was read into the same state otherwise, as a file whose bytes have changed and whose text
  // has not, is a version of its own: from now on that is what the name goes back to.
  if (current && current->state == state.id &&
      (derivation.operation != Operation::kIngest ||
       ReadTheSame(derivation, index.lineage().Get(current->derivation))))
    return {state, current->number, true, true};
  // gc may have taken the parent's derivation since the caller looked; the parent's id remains.
  if (derivation.parent && !index.lineage().Exists(*derivation.parent)) derivation.parent.reset();
  if (derivation.parent && derivation.made_from.empty()) {
    const auto parent = index.references().VersionBy(*derivation.parent);
    if (parent) derivation.made_from = parent->Text();
  }
  derivation.state = state.id;
  derivation.token_count = state.history.token_count();
  derivation.created_at_ms = now_ms;
  const int64_t key = index.lineage().Add(derivation);
  const uint64_t version =
      index.references().Move(reference.name, reference.tag, state.id, key, now_ms);
  return {state, version, true, false, key};
}

}  // namespace statelib::storage
