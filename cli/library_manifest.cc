// SPDX-License-Identifier: Apache-2.0
#include "cli/library_manifest.h"

#include <algorithm>
#include <array>
#include <map>

#include "cli/manifest_table.h"
#include "core/base/error.h"
#include "core/base/nearest_names.h"
#include "core/base/printable.h"
#include "core/engine/runtime.h"
#include "statestore/documents/document_template.h"
#include "statestore/storage/segment_codec.h"

namespace statelib::cli {

namespace {

template <typename... Args>
[[noreturn]] void RefuseAt(const std::string& location, fmt::format_string<Args...> format,
                           Args&&... args) {
  Throw(ErrorKind::kInvalidArgument, "{}: {}", location,
        fmt::format(format, std::forward<Args>(args)...));
}

/// What a value is, for messages; by the alternatives of ManifestValue::Content.
const char* KindOf(const ManifestValue& value) {
  static constexpr std::array kKinds = {"something else", "a text",   "true or false",
                                        "a whole number", "a number", "a list"};
  static_assert(kKinds.size() == std::variant_size_v<ManifestValue::Content>);
  return kKinds[value.content.index()];
}

/// A value as the type that its key has. Errors: kInvalidArgument for another type.
class ValueOf {
 public:
  explicit ValueOf(const ManifestValue& value) : value_(value) {}

  std::string Text() const { return Take<std::string>("a text"); }
  bool Flag() const { return Take<bool>("true or false"); }
  uint64_t Count() const {
    const auto count = Take<int64_t>("a whole number");
    if (count < 0)
      Throw(ErrorKind::kInvalidArgument, "expected a number from 0 on, found {}", count);
    return static_cast<uint64_t>(count);
  }
  double Number() const {
    if (const auto* integer = std::get_if<int64_t>(&value_.content))
      return static_cast<double>(*integer);
    return Take<double>("a number");
  }
  /// A list of texts, or one text.
  std::vector<std::string> Texts() const {
    if (const auto* text = std::get_if<std::string>(&value_.content)) return {*text};
    std::vector<std::string> texts;
    for (const ManifestValue& item : Take<ManifestValue::List>("a list of texts")) {
      const auto* text = std::get_if<std::string>(&item.content);
      if (text == nullptr)
        Throw(ErrorKind::kInvalidArgument, "expected a list of texts, found {} in it",
              KindOf(item));
      texts.push_back(*text);
    }
    return texts;
  }

 private:
  template <typename T>
  const T& Take(const char* expected) const {
    if (const T* taken = std::get_if<T>(&value_.content)) return *taken;
    Throw(ErrorKind::kInvalidArgument, "expected {}, found {}", expected, KindOf(value_));
  }

  const ManifestValue& value_;
};

using Setter = void (*)(const ValueOf&, ManifestState&);

/// Every key, and what it sets.
const std::map<std::string, Setter>& Keys() {
  static const std::map<std::string, Setter> keys = {
      {"name",
       [](const ValueOf& v, ManifestState& s) {
         s.reference = storage::Reference::Parse(v.Text());
         if (s.reference.version)
           Throw(ErrorKind::kInvalidArgument, "a version cannot be written to; leave out '@{}'",
                 *s.reference.version);
       }},
      {"files", [](const ValueOf& v, ManifestState& s) { s.files = v.Texts(); }},
      {"include", [](const ValueOf& v, ManifestState& s) { s.folders.include = v.Texts(); }},
      {"exclude", [](const ValueOf& v, ManifestState& s) { s.folders.exclude = v.Texts(); }},
      {"hidden", [](const ValueOf& v, ManifestState& s) { s.folders.hidden = v.Flag(); }},
      {"ignore-files",
       [](const ValueOf& v, ManifestState& s) { s.folders.ignore_files = v.Flag(); }},
      {"separator",
       [](const ValueOf& v, ManifestState& s) { s.text_template.separator = v.Text(); }},
      {"heading",
       [](const ValueOf& v, ManifestState& s) {
         s.text_template.heading = v.Text();
         documents::Before({"", s.text_template.heading}, "", true);
       }},
      {"each", [](const ValueOf& v, ManifestState& s) { s.each = v.Flag(); }},
      {"tags",
       [](const ValueOf& v, ManifestState& s) {
         s.tags = v.Texts();
         for (const std::string& tag : s.tags) storage::CheckTag(tag);
       }},
      {"keep-tokens", [](const ValueOf& v, ManifestState& s) { s.keep_tokens = v.Flag(); }},
      {"checkpoint-every",
       [](const ValueOf& v, ManifestState& s) { s.checkpoint_stride_tokens = v.Count(); }},
      {"model", [](const ValueOf& v, ManifestState& s) { s.model.model = v.Text(); }},
      {"tokenizer", [](const ValueOf& v, ManifestState& s) { s.model.tokenizer = v.Text(); }},
      {"weights",
       [](const ValueOf& v, ManifestState& s) {
         s.weights = v.Text();
         const auto choices = engine::WeightChoices();
         if (std::find(choices.begin(), choices.end(), s.weights) == choices.end())
           Throw(ErrorKind::kInvalidArgument, "expected auto, f32, bf16, int8 or int4, found '{}'",
                 s.weights);
       }},
      {"codec",
       [](const ValueOf& v, ManifestState& s) {
         s.codec.codec = v.Text();
         if (!storage::CodecFromName(s.codec.codec))
           Throw(ErrorKind::kInvalidArgument, "expected exact, bf16, int8 or delta, found '{}'",
                 s.codec.codec);
       }},
      {"max-kl", [](const ValueOf& v, ManifestState& s) { s.codec.kl_max = v.Number(); }},
      {"probe", [](const ValueOf& v, ManifestState& s) { s.codec.probe_file = v.Text(); }},
  };
  return keys;
}

[[noreturn]] void RefuseKey(const ManifestValue& value) {
  std::vector<std::string> names;
  for (const auto& [known, setter] : Keys()) names.push_back(known);
  const std::string hint = DidYouMean(value.key, names);
  RefuseAt(value.location, "unknown key '{}'{}", Escaped(value.key),
           hint.empty() ? "; `statelib build --help` lists them" : hint);
}

void Apply(const ManifestTable& table, ManifestState& state) {
  for (const ManifestValue& value : table.values) {
    const auto known = Keys().find(value.key);
    if (known == Keys().end()) RefuseKey(value);
    try {
      known->second(ValueOf(value), state);
    } catch (const Error& error) {
      RefuseAt(value.location, "{}: {}", value.key, error.what());
    }
  }
}

ManifestState DefaultsOf(const ManifestTables& tables) {
  ManifestState defaults;
  if (!tables.defaults) return defaults;
  for (const ManifestValue& value : tables.defaults->values) {
    if (value.key == "name" || value.key == "files")
      RefuseAt(value.location, "'{}' belongs to a state, not to the defaults", value.key);
  }
  Apply(*tables.defaults, defaults);
  return defaults;
}

/// TOML cannot begin with a brace, and JSON lines begin with nothing else.
bool IsJsonLines(std::string_view text, const std::string& name) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return name.ends_with(".jsonl") || name.ends_with(".ndjson") ||
         (first != std::string_view::npos && text[first] == '{');
}

}  // namespace

std::vector<ManifestState> ParseManifest(std::string_view text, const std::string& name) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const ManifestTables tables =
      IsJsonLines(text, name) ? ReadJsonLinesManifest(text, name) : ReadTomlManifest(text, name);
  const ManifestState defaults = DefaultsOf(tables);
  std::vector<ManifestState> states;
  std::map<std::string, std::string> names;  // name -> where
  for (const ManifestTable& table : tables.states) {
    ManifestState state = defaults;
    state.location = table.location;
    Apply(table, state);
    if (state.reference.name.empty()) RefuseAt(table.location, "a state without a name");
    if (state.files.empty())
      RefuseAt(table.location, "the state {} has no files", state.reference.Text());
    const auto [other, fresh] = names.emplace(state.reference.Text(), state.location);
    if (!fresh)
      RefuseAt(table.location, "{} is described at {} already", other->first, other->second);
    states.push_back(std::move(state));
  }
  if (states.empty()) Throw(ErrorKind::kInvalidArgument, "{}: no state in it", Escaped(name));
  return states;
}

}  // namespace statelib::cli
