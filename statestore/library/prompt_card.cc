// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/prompt_card.h"

#include "core/base/error.h"
#include "core/base/printable.h"
#include "statestore/library/toml.h"

namespace statelib::library {

namespace {

namespace fs = std::filesystem;

constexpr size_t kCardBytesMax = 64 << 10;  // many times what all parts may have

/// "prompt.question, prompt.stop, prompt.refusal"
std::string Keys(const char* before) {
  std::string keys;
  for (const PromptPart& part : PromptParts())
    keys += std::string(keys.empty() ? "" : ", ") + before + part.name;
  return keys;
}

const PromptPart* PartOf(std::string_view name) {
  for (const PromptPart& part : PromptParts())
    if (name == part.name) return &part;
  return nullptr;
}

}  // namespace

fs::path PromptCardPath(const fs::path& model) {
  std::error_code ignored;
  if (fs::is_directory(model, ignored)) return model / kPromptCardName;
  return fs::path(model).replace_extension(kPromptCardName);
}

PromptForm ParsePromptCard(std::string_view text, const std::string& location) {
  PromptForm form;
  for (const auto& [key, node] : ParseToml(text, location)) {
    const std::string place = fmt::format("{}:{}", Escaped(location), node.source().begin.line);
    const PromptPart* const part = PartOf(key.str());
    const auto value = node.value_exact<std::string>();
    if (part == nullptr || !value) {
      Throw(ErrorKind::kInvalidArgument, "{}: expected {} with a text each, found '{}'", place,
            Keys(""), Escaped(key.str()));
    }
    try {
      CheckPromptPart(*part, *value);
    } catch (const Error& error) {
      Throw(ErrorKind::kInvalidArgument, "{}: {}", place, error.what());
    }
    form.*part->text = *value;
  }
  return form;
}

PromptForm ReadPromptCard(FileSystem& files, const fs::path& model) {
  const fs::path card = PromptCardPath(model);
  std::error_code ignored;
  if (!fs::exists(card, ignored)) return {};
  return ParsePromptCard(AsText(files.ReadFile(card, kCardBytesMax)), card.string());
}

PromptForm PromptFormOf(const Library& library, const storage::ModelRow& row,
                        const fs::path& place) {
  PromptForm card;
  if (!place.empty()) card = ReadPromptCard(library.files(), place);
  return Over(row.prompt, card.empty() ? row.card : card);
}

PromptForm PromptFormOf(const Library& library, const LoadedModel& model) {
  const auto row = library.repository().index().models().Find(model.identity.fingerprint);
  return PromptFormOf(library, row.value_or(storage::ModelRow{}), model.place.directory);
}

void AddPromptForm(const Library& library, ModelDetails& model) {
  try {
    model.prompt = PromptFormOf(library, model.row, model.row.path);
  } catch (const Error& error) {
    model.card_problem = error.what();
    model.prompt = PromptFormOf(library, model.row, {});
  }
}

bool KeepPromptCard(const Library& library, storage::ModelRow& row) {
  PromptForm card;
  try {
    card = ReadPromptCard(library.files(), row.path);
  } catch (const Error&) {
    return false;  // the user is told when asking the model
  }
  if (card.empty() || card == row.card) return false;
  row.card = card;
  return true;
}

ModelDetails SetPrompt(Library& library, const std::string& model, const std::string& key,
                       const std::optional<std::string>& text) {
  constexpr std::string_view kPrefix = "prompt.";
  const PromptPart* const part =
      key.starts_with(kPrefix) ? PartOf(std::string_view(key).substr(kPrefix.size())) : nullptr;
  if (part == nullptr) {
    Throw(ErrorKind::kInvalidArgument, "there is no setting '{}' of a model; there are {}",
          Escaped(key), Keys("prompt."));
  }
  if (text) CheckPromptPart(*part, *text);
  library.repository().index().Write([&] {
    storage::ModelRow row = ShowModel(library, model).row;
    row.prompt.*part->text = text;
    library.repository().index().models().Put(row);
  });
  return ShowModel(library, model);
}

}  // namespace statelib::library
