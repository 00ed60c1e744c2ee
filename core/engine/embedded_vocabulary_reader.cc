// SPDX-License-Identifier: Apache-2.0
#include "core/engine/embedded_vocabulary_reader.h"

#include <string>

#include "core/tokenizer/vocabulary.h"

namespace statelib::engine {

namespace {

using model_files::GgufMetadata;
using model_files::GgufValue;

const GgufValue* Find(const GgufMetadata& metadata, std::string_view name) {
  return metadata.Find("tokenizer.ggml." + std::string(name));
}

std::optional<TokenId> IdOf(const GgufMetadata& metadata, std::string_view name) {
  const GgufValue* value = Find(metadata, name);
  if (value == nullptr) return std::nullopt;
  return static_cast<TokenId>(value->Uint(tokenizer::kIdsMax - 1));
}

std::optional<bool> FlagOf(const GgufMetadata& metadata, std::string_view name) {
  const GgufValue* value = Find(metadata, name);
  if (value == nullptr) return std::nullopt;
  return value->Bool();
}

/// llama.cpp's words for a model without a tokenizer.
bool SaysNone(std::string_view kind) { return kind == "none" || kind == "no_vocab"; }

}  // namespace

std::optional<tokenizer::EmbeddedVocabulary> ReadEmbeddedVocabulary(const GgufMetadata& metadata) {
  const GgufValue* kind = Find(metadata, "model");
  if (kind == nullptr || SaysNone(kind->String())) return std::nullopt;
  tokenizer::EmbeddedVocabulary vocabulary;
  vocabulary.kind = kind->String();
  if (const GgufValue* pre = Find(metadata, "pre")) vocabulary.pre = pre->String();
  if (const GgufValue* tokens = Find(metadata, "tokens")) vocabulary.tokens = tokens->Strings();
  if (const GgufValue* types = Find(metadata, "token_type")) vocabulary.types = types->Integers();
  if (const GgufValue* scores = Find(metadata, "scores")) vocabulary.scores = scores->Numbers();
  if (const GgufValue* merges = Find(metadata, "merges")) vocabulary.merges = merges->Strings();
  vocabulary.begin = IdOf(metadata, "bos_token_id");
  vocabulary.end = IdOf(metadata, "eos_token_id");
  vocabulary.unknown = IdOf(metadata, "unknown_token_id");
  vocabulary.adds_begin = FlagOf(metadata, "add_bos_token");
  vocabulary.adds_end = FlagOf(metadata, "add_eos_token");
  vocabulary.adds_space_prefix = FlagOf(metadata, "add_space_prefix");
  return vocabulary;
}

}  // namespace statelib::engine
