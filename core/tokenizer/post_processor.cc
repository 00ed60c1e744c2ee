// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/post_processor.h"

#include "core/base/error.h"
#include "core/tokenizer/component.h"
#include "core/tokenizer/vocabulary.h"

namespace statelib::tokenizer {

namespace {

// ByteLevel's post-processor moves offsets only, and there are none here.
void BuildByteLevel(const JsonValue& /*json*/, PostProcessor& /*out*/) {}

std::vector<TokenId> SpecialIds(const JsonValue& json, std::string_view name) {
  std::vector<TokenId> ids;
  json["special_tokens"][name]["ids"].ForEach(
      [&](const JsonValue& id) { ids.push_back(static_cast<TokenId>(id.Int(0, kIdsMax - 1))); });
  return ids;
}

void BuildTemplate(const JsonValue& json, PostProcessor& out) {
  PostProcessor added;
  size_t texts = 0;
  json["single"].ForEach([&](const JsonValue& part) {
    if (part.Find("Sequence")) {
      ++texts;
      return;
    }
    const std::vector<TokenId> ids = SpecialIds(json, part["SpecialToken"]["id"].String());
    std::vector<TokenId>& side = texts == 0 ? added.before : added.after;
    side.insert(side.end(), ids.begin(), ids.end());
  });
  if (texts != 1) {
    Throw(ErrorKind::kUnsupported, "{}: expected the text once in the template, found it {} times",
          json["single"].Path(), texts);
  }
  // A template behind another one stands around what that one made.
  out.before.insert(out.before.begin(), added.before.begin(), added.before.end());
  out.after.insert(out.after.end(), added.after.begin(), added.after.end());
}

void Build(const JsonValue& json, PostProcessor& out);

void BuildSequence(const JsonValue& json, PostProcessor& out) {
  json["processors"].ForEach([&](const JsonValue& part) { Build(part, out); });
}

using BuildFunction = void (*)(const JsonValue&, PostProcessor&);

constexpr ComponentType<BuildFunction> kTypes[] = {
    {"ByteLevel", BuildByteLevel},
    {"Sequence", BuildSequence},
    {"TemplateProcessing", BuildTemplate},
};

void Build(const JsonValue& json, PostProcessor& out) { FindComponent(json, kTypes)(json, out); }

}  // namespace

PostProcessor PostProcessor::FromJson(const std::optional<JsonValue>& json) {
  PostProcessor built;
  if (json) Build(*json, built);
  return built;
}

}  // namespace statelib::tokenizer
