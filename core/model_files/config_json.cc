// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/config_json.h"

#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/model_files/tensor_text.h"

namespace statelib::model_files {

namespace {

constexpr std::array<std::string_view, 3> kBareWords = {"-Infinity", "Infinity", "NaN"};
constexpr std::string_view kFloatKey = "__float__";

/// The bare word that begins here, or nothing.
std::string_view BareWordAt(std::string_view text) {
  for (const std::string_view word : kBareWords) {
    if (text.starts_with(word)) return word;
  }
  return {};
}

/// The length of the string that begins with a quote here; all that is left if it never ends.
size_t StringLength(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return text.size();
}

std::string WithBareWordsWrapped(std::string_view text) {
  std::string wrapped;
  wrapped.reserve(text.size());
  while (!text.empty()) {
    size_t taken = 1;
    if (text[0] == '"') {
      taken = StringLength(text);
      wrapped += text.substr(0, taken);
    } else if (const std::string_view word = BareWordAt(text); !word.empty()) {
      taken = word.size();
      wrapped += fmt::format("{{\"{}\":\"{}\"}}", kFloatKey, word);
    } else {
      wrapped += text[0];
    }
    text.remove_prefix(taken);
  }
  return wrapped;
}

double InfinityOf(const JsonValue& value) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::string_view text = value.String();
  if (text == "Infinity" || text == "inf") return kInfinity;
  if (text == "-Infinity" || text == "-inf") return -kInfinity;
  Throw(ErrorKind::kCorrupt, "{}: expected a number, Infinity or -Infinity, found {}", value.Path(),
        Quoted(text));
}

}  // namespace

JsonDocument ParseConfig(ByteSpan text, const std::string& name) {
  return JsonDocument::Parse(AsBytes(WithBareWordsWrapped(AsText(text))), name);
}

ConfigFact ParseConfigFact(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) {
    Throw(ErrorKind::kInvalidArgument, "expected KEY=VALUE, as in mixer_norm_groups=1, found {}",
          Quoted(text));
  }
  const std::string value = WithBareWordsWrapped(std::string_view(text).substr(equals + 1));
  const bool is_json = nlohmann::json::accept(value);
  try {
    return {text.substr(0, equals), is_json ? value : nlohmann::json(value).dump()};
  } catch (const nlohmann::json::exception&) {
    Throw(ErrorKind::kInvalidArgument, "expected KEY=VALUE in UTF-8, found {}", Quoted(text));
  }
}

std::string WithFacts(ByteSpan text, std::span<const ConfigFact> facts, const std::string& name) {
  if (facts.empty()) return std::string(AsText(text));
  const JsonDocument checked = ParseConfig(text, name);  // bounds the nesting too
  auto config = nlohmann::ordered_json::parse(WithBareWordsWrapped(AsText(text)));
  if (!config.is_object()) Throw(ErrorKind::kCorrupt, "{}: expected an object", name);
  for (const ConfigFact& fact : facts) config[fact.key] = nlohmann::ordered_json::parse(fact.json);
  return config.dump(2) + "\n";
}

double ExtendedNumber(const JsonValue& value) {
  if (value.IsString()) return InfinityOf(value);
  if (value.IsObject()) return InfinityOf(value[kFloatKey]);
  return value.Number();
}

}  // namespace statelib::model_files
