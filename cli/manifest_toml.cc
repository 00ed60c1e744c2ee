// SPDX-License-Identifier: Apache-2.0
#include "cli/manifest_table.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "statestore/library/toml.h"
#include "statestore/storage/reference.h"

namespace statelib::cli {

namespace {

std::string WhereIs(const std::string& name, const toml::node& node) {
  return fmt::format("{}:{}", Escaped(name), node.source().begin.line);
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

}  // namespace

ManifestTables ReadTomlManifest(std::string_view text, const std::string& name) {
  ManifestTables tables;
  for (const auto& [key, node] : library::ParseToml(text, name)) {
    if (key == "defaults" && node.is_table()) {
      tables.defaults = ToTable(name, *node.as_table());
    } else if (key == "state" && node.is_array_of_tables()) {
      for (const toml::node& state : *node.as_array())
        tables.states.push_back(ToTable(name, *state.as_table()));
    } else {
      Throw(ErrorKind::kInvalidArgument, "{}: expected [[state]] and [defaults], found '{}'",
            WhereIs(name, node), Escaped(key.str()));
    }
  }
  return tables;
}

}  // namespace statelib::cli
