// SPDX-License-Identifier: Apache-2.0
// Changes one value in the text of a file of settings and nothing else in it: comments, order and
// spaces stay. What was made is read again before it counts, so that a file that is written in a
// way that is not foreseen here is refused and never damaged.
#include <toml++/toml.h>

#include <algorithm>

#include "cli/settings.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "statestore/library/toml.h"

namespace statelib::cli {

namespace {

/// Where a line begins; the end of the text for one behind the last.
size_t BeginOfLine(std::string_view text, size_t line) {
  size_t at = 0;
  for (size_t i = 1; i < line && at < text.size(); ++i)
    at = std::min(text.find('\n', at), text.size() - 1) + 1;
  return at;
}

/// TOML counts columns in characters.
size_t OffsetOf(std::string_view text, const toml::source_position& position) {
  size_t at = BeginOfLine(text, position.line);
  for (size_t column = 1; column < position.column && at < text.size(); ++column) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
  }
  return at;
}

std::string AsToml(const SettingDescription& setting, const std::string& value) {
  if (setting.kind == SettingKind::kCount || setting.kind == SettingKind::kNumber) return value;
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

/// Adds a line where the key belongs: before the first table, or in its own.
std::string WithLine(const std::string& text, const toml::table& document, const std::string& key,
                     const std::string& value) {
  std::string before = text;
  if (!before.empty() && !before.ends_with("\n")) before += '\n';
  const size_t dot = key.find('.');
  if (dot == std::string::npos) {
    size_t at = 0;
    while (at < before.size() && before[before.find_first_not_of(" \t", at)] != '[')
      at = BeginOfLine(before.substr(at), 2) + at;
    return before.substr(0, at) + key + " = " + value + "\n" + before.substr(at);
  }
  const std::string line = key.substr(dot + 1) + " = " + value + "\n";
  const toml::node* table = document.get(key.substr(0, dot));
  if (table == nullptr)
    return before + (before.empty() ? "" : "\n") + "[" + key.substr(0, dot) + "]\n" + line;
  const size_t at = BeginOfLine(before, table->source().begin.line + 1);
  return before.substr(0, at) + line + before.substr(at);
}

}  // namespace

std::string Settings::Edited(const std::string& text, const SettingDescription& setting,
                             const std::optional<std::string>& value,
                             const std::filesystem::path& file) {
  const Settings before = Parse(text, file);
  const toml::table document = library::ParseToml(text, file.string());
  const toml::node* node = document.at_path(setting.key).node();
  std::string edited = text;
  if (node != nullptr && value) {
    const size_t begin = OffsetOf(text, node->source().begin);
    const size_t end = OffsetOf(text, node->source().end);
    edited.replace(begin, end - begin, AsToml(setting, *value));
  } else if (node != nullptr) {
    const size_t begin = BeginOfLine(text, node->source().begin.line);
    edited.erase(begin, BeginOfLine(text, node->source().end.line + 1) - begin);
  } else if (value) {
    edited = WithLine(text, document, setting.key, AsToml(setting, *value));
  }

  bool is_right = true;
  try {
    const Settings after = Parse(edited, file);
    for (const SettingDescription& one : AllSettings()) {
      const bool is_changed = std::string_view(one.key) == setting.key;
      const std::string expected = is_changed ? value.value_or("") : before.Text(one.key);
      is_right = is_right && after.Text(one.key) == expected;
    }
  } catch (const Error&) {
    is_right = false;
  }
  if (!is_right)
    Throw(ErrorKind::kInvalidArgument,
          "{}: {} cannot be changed there without touching what stands beside it; change the file "
          "by hand",
          Printable(file.string()), setting.key);
  return edited;
}

}  // namespace statelib::cli
