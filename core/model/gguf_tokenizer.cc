// SPDX-License-Identifier: Apache-2.0
#include "core/model/gguf_tokenizer.h"

#include <fmt/ranges.h>

#include "core/base/error.h"

namespace statelib::model {

namespace {

constexpr int64_t kIdMax = INT64_C(1) << 24;

// The types of tokens, by the format's numbers.
enum TokenType : int32_t { kNormal = 1, kControl = 3, kUserDefined = 4, kUnused = 5 };

std::string_view TypeOf(const JsonValue& component) { return component["type"].String(); }

bool FlagOr(const JsonValue& object, std::string_view key, bool otherwise) {
  const auto flag = object.Find(key);
  return flag ? flag->Bool() : otherwise;
}

/// llama.cpp's name for how a text is split, or "" where it has none that is sure to be the same.
std::string PreTokenizerName(const JsonValue& tokenizer) {
  const auto splitting = tokenizer.Find("pre_tokenizer");
  if (!splitting) return "";
  const auto is_gpt2 = [](const JsonValue& component) {
    return TypeOf(component) == "ByteLevel" && FlagOr(component, "use_regex", true) &&
           !FlagOr(component, "add_prefix_space", true);
  };
  if (is_gpt2(*splitting)) return "gpt-2";
  if (TypeOf(*splitting) != "Sequence") return "";
  std::string types;
  (*splitting)["pretokenizers"].ForEach([&](const JsonValue& component) {
    types += std::string(TypeOf(component)) + " ";
    if (TypeOf(component) == "Split") {
      const auto regex = component["pattern"].Find("Regex");
      types += regex ? std::string(regex->String()) : "?";
    }
  });
  return types == "Punctuation ByteLevel Digits Split [0-9][0-9][0-9]" ? "falcon" : "";
}

/// Tokens by id with their types; ids without one are padding.
struct Tokens {
  std::vector<std::string> texts;
  std::vector<int32_t> types;

  void Set(const JsonValue& id, std::string_view text, int32_t type) {
    const auto at = static_cast<size_t>(id.Int(0, kIdMax));
    if (at >= texts.size()) {
      Throw(ErrorKind::kMismatch, "{}: expected an id below the {} rows of the embedding, found {}",
            id.Path(), texts.size(), at);
    }
    texts[at] = text;
    types[at] = type;
  }
};

Tokens TokensOf(const JsonValue& tokenizer, int64_t vocabulary) {
  Tokens tokens;
  for (int64_t id = 0; id < vocabulary; ++id) tokens.texts.push_back(fmt::format("[PAD{}]", id));
  tokens.types.assign(static_cast<size_t>(vocabulary), kUnused);
  tokenizer["model"]["vocab"].ForEachMemberUnchecked(
      [&](std::string_view text, const JsonValue& id) { tokens.Set(id, text, kNormal); });
  if (const auto added = tokenizer.Find("added_tokens")) {
    added->ForEach([&](const JsonValue& token) {
      tokens.Set(token["id"], token["content"].String(),
                 FlagOr(token, "special", false) ? kControl : kUserDefined);
    });
  }
  return tokens;
}

std::vector<std::string> MergesOf(const JsonValue& tokenizer) {
  std::vector<std::string> merges;
  tokenizer["model"]["merges"].ForEach([&](const JsonValue& merge) {
    if (merge.IsString()) {
      merges.emplace_back(merge.String());
      return;
    }
    std::string pair;
    merge.ForEach([&](const JsonValue& part) {
      pair += (pair.empty() ? "" : " ") + std::string(part.String());
    });
    merges.push_back(std::move(pair));
  });
  return merges;
}

void AddIds(const JsonValue& config, model_files::GgufMetadataWriter* metadata,
            std::vector<std::string>* notes) {
  for (const char* which : {"bos", "eos", "pad"}) {
    const auto value = config.Find(fmt::format("{}_token_id", which));
    if (!value) continue;
    std::vector<int64_t> ids;
    const auto add = [&ids](const JsonValue& id) { ids.push_back(id.Int(0, kIdMax)); };
    if (value->IsArray()) value->ForEach(add);
    if (value->IsNumber()) add(*value);
    if (ids.empty()) continue;
    const std::string name = std::string(which) == "pad" ? "padding" : which;
    metadata->AddU32(fmt::format("tokenizer.ggml.{}_token_id", name),
                     static_cast<uint64_t>(ids[0]));
    if (ids.size() > 1)
      notes->push_back(fmt::format("GGUF has one {0}_token_id: of {1}, {2} went into the file",
                                   which, fmt::join(ids, ", "), ids[0]));
  }
}

}  // namespace

void AddGgufTokenizer(const model_files::ModelFiles& from, const JsonValue& config,
                      int64_t vocabulary, model_files::GgufMetadataWriter* metadata,
                      std::vector<std::string>* notes) {
  if (from.gguf() != nullptr) {
    for (const model_files::GgufValue& value : from.gguf()->metadata().all()) {
      if (value.key().starts_with("tokenizer.")) metadata->AddCopy(value);
    }
    return;
  }
  AddIds(config, metadata, notes);
  const Bytes json = from.TokenizerJson();
  if (json.empty()) {
    notes->push_back(
        fmt::format("{}: there is no tokenizer.json to take along", from.path().string()));
    return;
  }
  metadata->AddString("tokenizer.huggingface.json", AsText(json));
  const JsonDocument document =
      JsonDocument::Parse(json, from.path().string() + ": tokenizer.json");
  const JsonValue tokenizer = document.root();
  const std::string pre = PreTokenizerName(tokenizer);
  if (tokenizer["model"]["type"].String() != "BPE" || pre.empty()) {
    notes->push_back(
        "the tokenizer is of a kind that GGUF has no word for: other programs will not "
        "find one in the file");
    return;
  }
  const Tokens tokens = TokensOf(tokenizer, vocabulary);
  metadata->AddString("tokenizer.ggml.model", "gpt2");
  metadata->AddString("tokenizer.ggml.pre", pre);
  metadata->AddStrings("tokenizer.ggml.tokens", tokens.texts);
  metadata->AddI32s("tokenizer.ggml.token_type", tokens.types);
  metadata->AddStrings("tokenizer.ggml.merges", MergesOf(tokenizer));
}

}  // namespace statelib::model
