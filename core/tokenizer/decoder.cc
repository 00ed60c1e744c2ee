// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/decoder.h"

#include <utility>

#include "core/base/error.h"
#include "core/base/utf8.h"
#include "core/tokenizer/component.h"
#include "core/tokenizer/decoder_steps.h"

namespace statelib::tokenizer {

namespace {

// Real decoders have at most four; this bounds the depth of calls.
constexpr size_t kStepsMax = 64;
constexpr uint64_t kStripMax = 1U << 16;

struct Chain {
  std::vector<DecoderStepPtr> steps;
  bool joined = false;  ///< a step before has joined the tokens

  void Add(DecoderStepPtr step) { steps.push_back(std::move(step)); }
};

// A step that looks at whole tokens would have to hold back the whole text behind one that joins.
void RefuseJoined(const JsonValue& json, const Chain& chain) {
  if (!chain.joined) return;
  Throw(ErrorKind::kUnsupported,
        "{}: the decoder {} stands behind one that joins tokens; supported there: Fuse, Strip",
        json.Path(), json["type"].String());
}

void BuildByteLevel(const JsonValue& json, Chain& chain) {
  RefuseJoined(json, chain);
  chain.Add(MakeByteLevelDecoder());
  chain.joined = true;
}

void BuildByteFallback(const JsonValue& json, Chain& chain) {
  RefuseJoined(json, chain);
  chain.Add(MakeByteFallbackDecoder());
}

void BuildFuse(const JsonValue& /*json*/, Chain& chain) {
  chain.Add(MakeFuseDecoder());
  chain.joined = true;
}

void BuildReplace(const JsonValue& json, Chain& chain) {
  RefuseJoined(json, chain);
  chain.Add(MakeReplaceDecoder(Replacement::FromJson(json)));
}

void BuildStrip(const JsonValue& json, Chain& chain) {
  const std::string_view content = json["content"].String();
  if (content.empty() || FrontUnit(content).length != content.size()) {
    Throw(ErrorKind::kCorrupt, "{}: expected one character, found \"{}\"", json["content"].Path(),
          content);
  }
  chain.Add(MakeStripDecoder(content, json["start"].Uint(kStripMax), json["stop"].Uint(kStripMax),
                             chain.joined));
}

void BuildMetaspace(const JsonValue& json, Chain& chain) {
  RefuseJoined(json, chain);
  const std::string_view replacement = json["replacement"].String();
  if (replacement.empty()) {
    Throw(ErrorKind::kCorrupt, "{}: expected a character, found an empty text",
          json["replacement"].Path());
  }
  const std::string_view scheme =
      StringOr(json, "prepend_scheme", BoolOr(json, "add_prefix_space", true) ? "always" : "never");
  chain.Add(MakeMetaspaceDecoder(replacement, scheme != "never"));
}

void Build(const JsonValue& json, Chain& chain);

void BuildSequence(const JsonValue& json, Chain& chain) {
  json["decoders"].ForEach([&](const JsonValue& part) { Build(part, chain); });
}

using BuildFunction = void (*)(const JsonValue&, Chain&);

constexpr ComponentType<BuildFunction> kTypes[] = {
    {"ByteFallback", BuildByteFallback},
    {"ByteLevel", BuildByteLevel},
    {"Fuse", BuildFuse},
    {"Metaspace", BuildMetaspace},
    {"Replace", BuildReplace},
    {"Sequence", BuildSequence},
    {"Strip", BuildStrip},
};

void Build(const JsonValue& json, Chain& chain) {
  FindComponent(json, kTypes)(json, chain);
  if (chain.steps.size() > kStepsMax) {
    Throw(ErrorKind::kUnsupported, "{}: expected at most {} decoders, found more", json.Path(),
          kStepsMax);
  }
}

}  // namespace

Decoder Decoder::FromJson(const std::optional<JsonValue>& json) {
  Chain chain;
  if (json) {
    Build(*json, chain);
  } else {
    chain.Add(MakeSpacingDecoder());
  }
  Decoder decoder;
  decoder.steps_ = std::move(chain.steps);
  return decoder;
}

Decoder Decoder::OfPieces(bool drops_first_space) {
  Decoder decoder;
  decoder.steps_.push_back(MakeMetaspaceDecoder("▁", false));
  decoder.steps_.push_back(MakePieceBytesDecoder());
  if (drops_first_space) decoder.steps_.push_back(MakeStripDecoder(" ", 1, 0, true));
  return decoder;
}

std::unique_ptr<TextSink> Decoder::Start(std::unique_ptr<TextSink> out) const {
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    out = (*step)->Start(std::move(out));
  }
  return out;
}

std::string Decoder::BytesOf(std::string_view token) const {
  std::string bytes(token);
  for (const auto& step : steps_) step->ToBytes(bytes);
  return bytes;
}

}  // namespace statelib::tokenizer
