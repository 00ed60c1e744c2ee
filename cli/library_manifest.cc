// SPDX-License-Identifier: Apache-2.0
#include "cli/library_manifest.h"

#include <toml++/toml.h>
#include <functional>
#include <map>
#include <set>

#include "core/base/error.h"
#include "core/engine/runtime.h"
#include "statestore/documents/template.h"
#include "statestore/storage/segment_codec.h"

namespace statelib::cli {

namespace {

/// Where in a manifest something stands, for messages.
class Place {
 public:
  Place(const std::string& file, const toml::node& node)
      : text_(fmt::format("{}:{}", storage::Escaped(file), node.source().begin.line)) {}

  const std::string& text() const { return text_; }
  template <typename... Args>
  [[noreturn]] void Refuse(fmt::format_string<Args...> format, Args&&... args) const {
    Throw(ErrorKind::kInvalidArgument, "{}: {}", text_,
          fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  std::string text_;
};

/// One value of a manifest as the type that its key has.
class ValueOf {
 public:
  ValueOf(const Place& place, const std::string& key, const toml::node& node)
      : place_(place), key_(key), node_(node) {}

  std::string Text() const { return Take<std::string>("a text"); }
  bool Flag() const { return Take<bool>("true or false"); }
  uint64_t Count() const {
    const auto count = Take<int64_t>("a whole number");
    if (count < 0) place_.Refuse("{}: expected a number from 0 on, found {}", key_, count);
    return static_cast<uint64_t>(count);
  }
  double Number() const {
    if (node_.is_integer()) return static_cast<double>(Take<int64_t>("a number"));
    return Take<double>("a number");
  }
  /// A list of texts, or one text.
  std::vector<std::string> Texts() const {
    if (node_.is_string()) return {Text()};
    if (!node_.is_array()) place_.Refuse("{}: expected a list of texts", key_);
    std::vector<std::string> texts;
    for (const toml::node& item : *node_.as_array()) {
      const auto text = item.value_exact<std::string>();
      if (!text) place_.Refuse("{}: expected a list of texts, found something else in it", key_);
      texts.push_back(*text);
    }
    return texts;
  }

 private:
  template <typename T>
  T Take(const char* expected) const {
    const auto value = node_.value_exact<T>();
    if (!value) place_.Refuse("{}: expected {}", key_, expected);
    return *value;
  }

  const Place& place_;
  const std::string& key_;
  const toml::node& node_;
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
           Throw(ErrorKind::kInvalidArgument, "expected exact, bf16 or int8, found '{}'",
                 s.codec.codec);
       }},
      {"max-kl", [](const ValueOf& v, ManifestState& s) { s.codec.kl_max = v.Number(); }},
      {"probe", [](const ValueOf& v, ManifestState& s) { s.codec.probe_file = v.Text(); }},
  };
  return keys;
}

[[noreturn]] void RefuseKey(const Place& place, const std::string& key) {
  const auto near = storage::NearestNames(key, [](const auto& visit) {
    for (const auto& [known, setter] : Keys()) visit(known);
  });
  place.Refuse("unknown key '{}'{}", storage::Escaped(key),
               near.empty() ? "; `statelib build --help` lists them"
                            : "; did you mean '" + near.front() + "'?");
}

void Apply(const std::string& file, const toml::table& table, ManifestState& state) {
  for (const auto& [key, node] : table) {
    const Place place(file, node);
    const std::string name(key.str());
    const auto known = Keys().find(name);
    if (known == Keys().end()) RefuseKey(place, name);
    try {
      known->second(ValueOf(place, name, node), state);
    } catch (const Error& error) {
      const std::string message = error.what();
      if (message.starts_with(place.text())) throw;
      place.Refuse("{}: {}", name, message);
    }
  }
}

toml::table Parse(std::string_view text, const std::string& name) {
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    Throw(ErrorKind::kInvalidArgument, "{}:{}: {}", storage::Escaped(name),
          error.source().begin.line, storage::Escaped(error.description()));
  }
}

}  // namespace

std::vector<ManifestState> ParseManifest(std::string_view text, const std::string& name) {
  const toml::table root = Parse(text, name);
  ManifestState defaults;
  for (const auto& [key, node] : root) {
    if (key == "defaults" && node.is_table()) {
      for (const char* const own : {"name", "files"})
        if (const toml::node* found = node.as_table()->get(own))
          Place(name, *found).Refuse("'{}' belongs to a [[state]], not to [defaults]", own);
      Apply(name, *node.as_table(), defaults);
    } else if (key != "state" || !node.is_array_of_tables()) {
      Place(name, node)
          .Refuse("expected [[state]] and [defaults], found '{}'", storage::Escaped(key.str()));
    }
  }
  std::vector<ManifestState> states;
  std::map<std::string, std::string> names;  // name -> where
  if (const toml::array* list = root["state"].as_array()) {
    for (const toml::node& node : *list) {
      const Place place(name, node);
      ManifestState state = defaults;
      state.where = place.text();
      Apply(name, *node.as_table(), state);
      if (state.reference.name.empty()) place.Refuse("a state without a name");
      if (state.files.empty()) place.Refuse("the state {} has no files", state.reference.Text());
      const auto [other, fresh] = names.emplace(state.reference.Text(), state.where);
      if (!fresh) place.Refuse("{} is described at {} already", other->first, other->second);
      states.push_back(std::move(state));
    }
  }
  if (states.empty())
    Throw(ErrorKind::kInvalidArgument, "{}: no [[state]] in it", storage::Escaped(name));
  return states;
}

}  // namespace statelib::cli
