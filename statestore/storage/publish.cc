// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/publish.h"

#include <utility>

#include "core/base/error.h"
#include "statestore/storage/state_object.h"
#include "statestore/storage/token_history.h"

namespace statelib::storage {

namespace {

/// Whether every object of a state is there and undamaged: what must hold before it is taken for
/// stored. Storing it anew is also how damage is repaired.
bool IsSound(const Repository& repository, const StateRow& row) {
  const ObjectStore& objects = repository.objects();
  if (!objects.IsSound(row.id)) return false;
  for (const TokenChunk& chunk : repository.index().states().ChunksOf(row.id)) {
    if (!objects.IsSound(chunk.id)) return false;
  }
  return true;
}

/// Whether the chunks hold `token_count` tokens and are all there: gc may have taken those of a
/// parent that was removed since the caller looked.
void CheckChunks(const Repository& repository, const StateDescription& description) {
  uint64_t tokens = 0;
  for (const TokenChunk& chunk : description.chunks) {
    if (repository.objects().Exists(chunk.id)) tokens += chunk.token_count;
  }
  if (tokens == description.history.token_count()) return;
  Throw(ErrorKind::kNotFound,
        "the tokens of the state that this one goes on from were removed meanwhile: expected {}, "
        "found {}; nothing was changed",
        description.history.token_count(), tokens);
}

/// Puts the state's objects unless the library has an equal state whose object is in place.
StateRow PutObjects(Repository& repository, const NewState& state, StateDescription* description,
                    int64_t now_ms) {
  const Digest content = ContentDigest(description->spec, state.segments);
  const StateRow wanted = RowOf({}, {*description, content, {}, {}}, 0, now_ms);
  const auto equal = repository.index().states().FindEqual(wanted);
  if (equal && IsSound(repository, *equal)) return *equal;
  if (description->tokens_kept) {
    description->chunks =
        AppendTokens(repository.objects(), state.chunks_before, state.tokens_after);
    CheckChunks(repository, *description);
  }
  const EncodedObject object =
      EncodeState(*description, state.segments, content, state.codec, state.fidelity);
  repository.objects().Put(object);
  return RowOf(object.id, {*description, content, {}, {}}, object.bytes.size(), now_ms);
}

}  // namespace

PublishedState Publish(Repository& repository, const NewState& state, Derivation derivation,
                       const Reference& reference, int64_t now_ms) {
  CheckName(reference.name);
  CheckTag(reference.tag);
  const FileLock lease = repository.WriteLease();
  StateDescription description = state.description;
  const StateRow row = PutObjects(repository, state, &description, now_ms);
  PublishedState published;
  Index& index = repository.index();
  index.Write([&] {
    const bool stored_before = index.states().Find(row.id).has_value();
    index.models().Learn(description.model, state.model_name, now_ms);
    index.states().Add(row, description.chunks);
    published = NameState(index, row, std::move(derivation), reference, now_ms);
    published.stored_before = stored_before;
    if (published.version_before || !description.tokens_kept) return;
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
  if (current && current->state == state.id) return {state, current->number, true, true};
  // gc may have taken the parent's derivation since the caller looked; the parent's id remains.
  if (derivation.parent && !index.lineage().Exists(*derivation.parent)) derivation.parent.reset();
  derivation.state = state.id;
  derivation.token_count = state.history.token_count();
  derivation.created_at_ms = now_ms;
  const int64_t key = index.lineage().Add(derivation);
  const uint64_t version =
      index.references().Move(reference.name, reference.tag, state.id, key, now_ms);
  return {state, version, true, false, key};
}

}  // namespace statelib::storage
