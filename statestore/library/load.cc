// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/load.h"

#include <chrono>
#include <future>

#include "core/base/error.h"
#include "statestore/storage/state_object.h"
#include "statestore/storage/token_history.h"

namespace statelib::library {

namespace {

std::string NameOf(const storage::ResolvedState& state) {
  return state.reference ? state.reference->Text() : state.state.id.ShortHex();
}

/// A state from the bytes of its object, whose hash is not looked at.
LoadedState Restore(const storage::ObjectStore& objects, const LoadedModel& model,
                    const storage::ResolvedState& state, ByteSpan file) {
  const std::string location = objects.PathOf(state.state.id).string();
  storage::StateReader reader(file, location, storage::FileHash::kChecked, objects.Getter());
  const storage::StateDescription& description = reader.header().description;
  // The index chose the object; the object itself says whose it is.
  if (description.model.fingerprint != model.identity.fingerprint ||
      description.profile != state.state.profile || description.history != state.state.history) {
    Throw(ErrorKind::kCorrupt,
          "{}: the index says something else of this state than its file; run `statelib verify`",
          location);
  }
  if (description.spec != model.runtime->SpecFor(description.history.token_count())) {
    Throw(ErrorKind::kMismatch,
          "{}: its segments are not those that {} has; it was made by another version of statelib: "
          "ingest its documents again",
          location, model.Label());
  }
  std::vector<Bytes> segments;
  for (size_t i = 0; i < description.spec.size(); ++i) segments.push_back(reader.ReadSegment(i));
  const std::vector<ByteSpan> views(segments.begin(), segments.end());
  return {model.runtime->Restore(description.history, views), state, 0};
}

[[noreturn]] void ThrowRemoved(const storage::ResolvedState& state) {
  Throw(ErrorKind::kNotFound, "the state {} was removed meanwhile; run the command again",
        state.state.id.ShortHex());
}

[[noreturn]] void ThrowOtherTokens(const storage::StateId& state) {
  Throw(ErrorKind::kCorrupt,
        "the kept tokens of the state {} are not those that it has read; run `statelib verify`",
        state.ShortHex());
}

}  // namespace

void CheckFits(const Library& library, const LoadedModel& model,
               const storage::ResolvedState& state) {
  if (state.state.model != model.identity.fingerprint) {
    const auto needed = library.repository().index().models().Find(state.state.model);
    const bool known = needed && !needed->path.empty();
    if (known && needed->path == model.place.directory.string() &&
        needed->tokenizer_path == model.place.tokenizer.string()) {
      Throw(ErrorKind::kMismatch,
            "the model has changed, not the state {}: the files in {} had the fingerprint {} and "
            "have {} now; put those back that it was made with, or add the changed model with "
            "`statelib model add PATH` and ingest its documents again",
            NameOf(state), needed->path, state.state.model.ShortHex(),
            model.identity.fingerprint.ShortHex());
    }
    Throw(ErrorKind::kMismatch, "the state {} needs the model {}, given was {}; {}", NameOf(state),
          LabelOfModel(library, state.state.model), model.Label(),
          known ? "leave out --model to use the right one"
                : "add the right one with `statelib model add PATH`");
  }
  const std::string profile = storage::BaseProfileOf(state.state.profile);
  if (profile != model.runtime->profile()) {
    const char* const weights = model.runtime->WeightChoiceFor(profile);
    Throw(ErrorKind::kMismatch,
          "the state {} needs the numerics profile {}, given was {}; {}ingest its documents again",
          NameOf(state), state.state.profile, model.runtime->profile(),
          weights == nullptr
              ? ""
              : fmt::format("leave out --weights, or give --weights {}, or ", weights));
  }
}

LoadedState LoadState(const Library& library, const LoadedModel& model,
                      const storage::ResolvedState& state) {
  const auto start = std::chrono::steady_clock::now();
  CheckFits(library, model, state);
  const storage::Repository& repository = library.repository();
  const storage::Lease lease = repository.ReadLease();
  const storage::ObjectStore& objects = repository.objects();
  if (!repository.index().states().Find(state.state.id)) ThrowRemoved(state);
  const Bytes file = objects.GetUnchecked(state.state.id);
  // The hash takes as long as the decoding, so another thread takes it meanwhile.
  std::future<void> checked =
      std::async(std::launch::async, [&] { objects.CheckIs(state.state.id, file); });
  std::optional<LoadedState> loaded;
  try {
    loaded.emplace(Restore(objects, model, state, file));
  } catch (const Error&) {
    checked.get();  // that the file is damaged says more
    throw;
  }
  checked.get();
  loaded->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return std::move(*loaded);
}

std::optional<RunOf<TokenId>> TokensOf(const Library& library, const storage::StateId& state) {
  const storage::Repository& repository = library.repository();
  const storage::Lease lease = repository.ReadLease();
  const auto row = repository.index().states().Find(state);
  if (!row || !row->tokens_kept) return std::nullopt;
  const std::vector<storage::TokenChunk> chunks = repository.index().states().ChunksOf(state);
  uint64_t listed = 0;
  for (const storage::TokenChunk& chunk : chunks) listed += chunk.token_count;
  Spool<TokenId> tokens;
  History history;
  if (listed != row->history.token_count()) ThrowOtherTokens(state);
  storage::ForEachChunk(repository.objects(), chunks, [&](std::span<const TokenId> chunk) {
    tokens.Append(chunk);
    history.Append(chunk);
  });
  if (history != row->history) ThrowOtherTokens(state);
  return tokens.All();
}

RunOf<TokenId> TokensOrThrow(const Library& library, const storage::ResolvedState& state) {
  if (const auto tokens = TokensOf(library, state.state.id)) return *tokens;
  if (state.state.tokens_kept) ThrowRemoved(state);
  if (storage::IsEdited(state.state.profile))
    Throw(ErrorKind::kInvalidArgument,
          "the numbers of the state {} were edited, or it goes on from one whose were: no tokens "
          "lead to them, so it can neither be read again nor proved",
          NameOf(state));
  Throw(ErrorKind::kInvalidArgument,
        "the tokens of the state {} are not kept, so they cannot be read again; ingest its "
        "documents without --forget-tokens",
        NameOf(state));
}

}  // namespace statelib::library
