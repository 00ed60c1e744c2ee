// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_PROMPT_CARD_H_
#define STATELIB_STATESTORE_LIBRARY_PROMPT_CARD_H_

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/prompt_form.h"
#include "statestore/library/models.h"

// Where a model's prompt form comes from: what was set in the library, else the card beside the
// model's files, else the one that the index kept or that came with states. No part of a model's
// fingerprint.
namespace statelib::library {

inline constexpr const char* kPromptCardName = "prompt.toml";

/// The card of a model: prompt.toml in its folder; of a model that is a file, NAME.prompt.toml
/// beside NAME.gguf.
std::filesystem::path PromptCardPath(const std::filesystem::path& model);

/// A card's text: question, stop and refusal as TOML strings. Errors: kInvalidArgument with
/// `location`, for another key too.
PromptForm ParsePromptCard(std::string_view text, const std::string& location);

/// The card beside a model; a form that says nothing where there is none. Errors: those of
/// ParsePromptCard and FileSystem::ReadFile.
PromptForm ReadPromptCard(FileSystem& files, const std::filesystem::path& model);

/// The form of a model that the library knows, as it lies at `place`, which may be empty. Errors:
/// those of ReadPromptCard.
PromptForm PromptFormOf(const Library& library, const storage::ModelRow& row,
                        const std::filesystem::path& place);
/// The same of a model that is open.
PromptForm PromptFormOf(const Library& library, const LoadedModel& model);

/// Fills `prompt` and `card_problem` of what listings show.
void AddPromptForm(const Library& library, ModelDetails& model);

/// Keeps the card beside a model in its row, as far as it can be read. Returns whether that changed
/// the row.
bool KeepPromptCard(const Library& library, storage::ModelRow& row);

/// Sets a part of a model's form, "prompt.question", in the place of the card's; without a text the
/// card's counts again. `model` as ShowModel takes it. Errors: kInvalidArgument for another key or
/// a text that cannot be that part; those of ShowModel.
ModelDetails SetPrompt(Library& library, const std::string& model, const std::string& key,
                       const std::optional<std::string>& text);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_PROMPT_CARD_H_
