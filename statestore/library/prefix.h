// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_PREFIX_H_
#define STATELIB_STATESTORE_LIBRARY_PREFIX_H_

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "statestore/library/load.h"

namespace statelib::library {

/// The states of a model and its numerics profile that have read the history `before` and then one
/// or more of `tokens` and nothing else: named ones and checkpoints, of any origin, longest
/// first. Found by the hash chain at each length that the index has. Their objects may be damaged
/// or gone.
std::vector<storage::StateRow> StoredPrefixes(const Library& library, const LoadedModel& model,
                                              const History& before, const RunOf<TokenId>& tokens);

/// The longest of StoredPrefixes whose object is sound, read; nothing where there is none.
std::optional<StoredState> ReadLongestPrefix(const Library& library, const LoadedModel& model,
                                             const History& before, const RunOf<TokenId>& tokens);
/// The same, restored.
std::optional<LoadedState> LoadLongestPrefix(const Library& library, const LoadedModel& model,
                                             const History& before, const RunOf<TokenId>& tokens);

/// A stored state that a prompt begins with, and the rest of the prompt.
struct PromptPrefix {
  LoadedState loaded;
  std::vector<TokenId> rest;
};

/// The longest stored state that a prompt begins with: by its tokens, or because the prompt begins
/// with the very bytes of the one document that a state was ingested from, which holds even where
/// the tokenizer would join the document's end with what follows. `text` is read as from nothing.
std::optional<PromptPrefix> FindPromptPrefix(const Library& library, const LoadedModel& model,
                                             std::string_view text);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_PREFIX_H_
