// SPDX-License-Identifier: Apache-2.0
#include <toml++/toml.h>

#include <algorithm>

#include "cli/manifest_table.h"
#include "core/base/error.h"
#include "statestore/storage/reference.h"

namespace statelib::cli {

namespace {

std::string WhereIs(const std::string& name, const toml::node& node) {
  return fmt::format("{}:{}", storage::Escaped(name), node.source().begin.line);
}

ManifestValue ToValue(const std::string& name, std::string_view key, const toml::node& node) {
  ManifestValue value{WhereIs(name, node), std::string(key)};
  if (const auto text = node.value_exact<std::string>()) value.content = *text;
  if (const auto flag = node.value_exact<bool>()) value.content = *flag;
  if (const auto integer = node.value_exact<int64_t>()) value.content = *integer;
  if (const auto number = node.value_exact<double>()) value.content = *number;
  if (const toml::array* array = node.as_array()) {
    ManifestValue::List list;
    for (const toml::node& item : *array) list.push_back(ToValue(name, "", item));
    value.content = std::move(list);
  }
  return value;
}

ManifestTable ToTable(const std::string& name, const toml::table& table) {
  ManifestTable result{WhereIs(name, table), {}};
  for (const auto& [key, node] : table) result.values.push_back(ToValue(name, key.str(), node));
  return result;
}

// More than any manifest has; the library nests a table for each and leaves them by recursion.
constexpr size_t kKeyPartsMax = 256;

/// Where a string that begins at `begin` ends: behind its closing quotes, or the text's end.
size_t EndOfString(std::string_view text, size_t begin) {
  const char quote = text[begin];
  const std::string three(3, quote);
  const bool is_long = text.substr(begin).starts_with(three);
  for (size_t i = begin + (is_long ? 3 : 1); i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (is_long ? text.substr(i).starts_with(three) : text[i] == quote) {
      return i + (is_long ? 3 : 1);
    } else if (!is_long && text[i] == '\n') {
      return i;
    }
  }
  return text.size();
}

/// Errors: kInvalidArgument for a key of too many parts between dots, wherever it stands.
void CheckKeys(std::string_view text, const std::string& name) {
  size_t parts = 1;
  size_t line = 1;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    size_t end = i + 1;
    if (c == '"' || c == '\'') end = EndOfString(text, i);
    if (c == '#') end = std::min(text.find('\n', i), text.size());
    if (c == '.') ++parts;
    if (std::string_view("=[]{},\n").find(c) != std::string_view::npos) parts = 1;
    if (parts > kKeyPartsMax) {
      Throw(ErrorKind::kInvalidArgument, "{}:{}: a key of more than {} parts",
            storage::Escaped(name), line, kKeyPartsMax);
    }
    line += static_cast<size_t>(std::count(text.data() + i, text.data() + end, '\n'));
    i = end;
  }
}

toml::table Parse(std::string_view text, const std::string& name) {
  CheckKeys(text, name);
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    Throw(ErrorKind::kInvalidArgument, "{}:{}: {}", storage::Escaped(name),
          error.source().begin.line, storage::Escaped(error.description()));
  }
}

}  // namespace

ManifestTables ReadTomlManifest(std::string_view text, const std::string& name) {
  ManifestTables tables;
  for (const auto& [key, node] : Parse(text, name)) {
    if (key == "defaults" && node.is_table()) {
      tables.defaults = ToTable(name, *node.as_table());
    } else if (key == "state" && node.is_array_of_tables()) {
      for (const toml::node& state : *node.as_array())
        tables.states.push_back(ToTable(name, *state.as_table()));
    } else {
      Throw(ErrorKind::kInvalidArgument, "{}: expected [[state]] and [defaults], found '{}'",
            WhereIs(name, node), storage::Escaped(key.str()));
    }
  }
  return tables;
}

}  // namespace statelib::cli
