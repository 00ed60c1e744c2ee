// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_ASK_H_
#define STATELIB_STATESTORE_LIBRARY_ASK_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/generator.h"
#include "statestore/library/load.h"
#include "statestore/library/search.h"

namespace statelib::library {

struct AskOptions {
  uint64_t tokens_max = 256;  ///< an answer that is not over by then is cut
  size_t passages_max = 0;    ///< so many passages are looked for (PassagesFor)
  const CancelFlag* cancel = nullptr;
  /// Called with each piece of the answer as soon as it is certain.
  std::function<void(std::string_view)> on_text = {};
  std::function<void()> on_first_token = {};  ///< called once, when it has been chosen
};

/// An answer and where it comes from.
struct AskedAnswer {
  std::string question;                ///< as it was put, without the space around it
  std::string text;                    ///< the answer, without the space around it
  std::optional<bool> refused;         ///< it says that nothing was found; empty: no way to tell
  std::vector<SearchResult> passages;  ///< the best first
  storage::ResolvedState origin;       ///< what was asked
  uint64_t tokens_restored = 0;
  double restore_seconds = 0;
  engine::Generation generation;
};

/// Puts a question to what a state has read, in the form that its model wants (prompt_card.h), and
/// takes the likeliest answer. It ends at a token that ends a text or before the form's stop. The
/// stored state stays as it is. Errors: kInvalidArgument for a question of nothing or of more than
/// 64 KiB, and for a model whose form is not known, with how to say it; those of PromptFormOf,
/// LoadState and Generate.
AskedAnswer Ask(const Library& library, const LoadedModel& model,
                const storage::ResolvedState& state, std::string_view question,
                const AskOptions& options = {});

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_ASK_H_
