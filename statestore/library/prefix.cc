// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/prefix.h"

#include <utility>

#include "core/base/error.h"

namespace statelib::library {

namespace {

/// The state under the first of its names, if it has one.
storage::ResolvedState Named(const Library& library, const storage::StateRow& row) {
  const storage::Repository& repository = library.repository();
  const std::vector<std::string> names = repository.index().references().NamesOf(row.id);
  if (names.empty()) return {row, std::nullopt, std::nullopt};
  const auto reference = storage::Reference::Parse(names.front());
  const auto version =
      repository.index().references().FindVersion(reference.name, reference.tag, reference.version);
  if (!version) return {row, std::nullopt, std::nullopt};
  return {row, reference, version->derivation};
}

/// The first that can be read: gc may have taken one meanwhile, another may be damaged.
std::optional<StoredState> ReadFirst(const Library& library, const LoadedModel& model,
                                     const std::vector<storage::StateRow>& candidates) {
  for (const storage::StateRow& row : candidates) {
    try {
      return ReadState(library, model, Named(library, row));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kNotFound && error.kind() != ErrorKind::kCorrupt) throw;
    }
  }
  return std::nullopt;
}

std::optional<LoadedState> Restored(const LoadedModel& model,
                                    const std::optional<StoredState>& stored) {
  if (!stored) return std::nullopt;
  return LoadedState{Restore(model, *stored), stored->origin, stored->seconds};
}

/// The states whose one document is what `text` begins with, longest document first, each with the
/// document's length.
std::vector<std::pair<storage::StateRow, size_t>> StatesOfDocument(const Library& library,
                                                                   const LoadedModel& model,
                                                                   std::string_view text) {
  const storage::Index& index = library.repository().index();
  std::vector<std::pair<storage::StateRow, size_t>> found;
  for (const uint64_t size : index.lineage().SourceSizes(text.size())) {
    const std::string_view document = text.substr(0, size);
    for (const storage::StateId& id :
         index.lineage().IngestedFrom(size, HashOf(AsBytes(document)))) {
      const auto row = index.states().Find(id);
      if (!row || row->model != model.identity.fingerprint ||
          row->profile != model.runtime->profile())
        continue;
      // The file had these bytes; whether its text was read as it is, its tokens tell.
      History history;
      history.Append(model.runtime->tokenizer().Encode(document, tokenizer::AddSpecial::kYes));
      if (history == row->history) found.emplace_back(*row, size);
    }
  }
  return found;
}

}  // namespace

std::vector<storage::StateRow> StoredPrefixes(const Library& library, const LoadedModel& model,
                                              const History& before, const RunOf<TokenId>& tokens) {
  const storage::IndexStates& states = library.repository().index().states();
  const Digest& fingerprint = model.identity.fingerprint;
  const std::string profile = model.runtime->profile();
  const uint64_t base = before.token_count();
  std::vector<uint64_t> lengths = states.Lengths(fingerprint, profile, base + tokens.size(), base);
  std::vector<History> histories;  // at each length, shortest first
  History history = before;
  for (size_t i = lengths.size(); i-- > 0;) {
    const uint64_t read = history.token_count() - base;
    tokens.Part(read, lengths[i] - base - read).ForEach([&](std::span<const TokenId> piece) {
      history.Append(piece);
    });
    histories.push_back(history);
  }
  std::vector<storage::StateRow> rows;
  for (size_t i = histories.size(); i-- > 0;) {
    for (storage::StateRow& row : states.FindByHistory(fingerprint, profile, histories[i]))
      rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<StoredState> ReadLongestPrefix(const Library& library, const LoadedModel& model,
                                             const History& before, const RunOf<TokenId>& tokens) {
  return ReadFirst(library, model, StoredPrefixes(library, model, before, tokens));
}

std::optional<LoadedState> LoadLongestPrefix(const Library& library, const LoadedModel& model,
                                             const History& before, const RunOf<TokenId>& tokens) {
  return Restored(model, ReadLongestPrefix(library, model, before, tokens));
}

std::optional<PromptPrefix> FindPromptPrefix(const Library& library, const LoadedModel& model,
                                             std::string_view text) {
  const tokenizer::Tokenizer& tokenizer = model.runtime->tokenizer();
  const std::vector<TokenId> tokens = tokenizer.Encode(text, tokenizer::AddSpecial::kYes);
  auto by_tokens = LoadLongestPrefix(library, model, {}, tokens);
  const uint64_t restored = by_tokens ? by_tokens->state.token_count() : 0;
  for (const auto& [row, size] : StatesOfDocument(library, model, text)) {
    if (row.history.token_count() <= restored) continue;
    auto loaded = Restored(model, ReadFirst(library, model, {row}));
    if (!loaded) continue;
    return PromptPrefix{std::move(*loaded),
                        tokenizer.Encode(text.substr(size), tokenizer::AddSpecial::kNo)};
  }
  if (!by_tokens) return std::nullopt;
  const auto rest = std::span(tokens).subspan(restored);
  return PromptPrefix{std::move(*by_tokens), {rest.begin(), rest.end()}};
}

}  // namespace statelib::library
