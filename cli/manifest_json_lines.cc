// SPDX-License-Identifier: Apache-2.0
#include "cli/manifest_table.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/printable.h"
#include "statestore/storage/reference.h"

namespace statelib::cli {

namespace {

constexpr const char* kDefaults = "defaults";

ManifestValue ToValue(const std::string& location, std::string_view key, const JsonValue& json) {
  ManifestValue value{location, std::string(key)};
  if (json.IsString()) {
    value.content = std::string(json.String());
  } else if (json.IsBool()) {
    value.content = json.Bool();
  } else if (json.IsInteger()) {
    value.content = json.Int(INT64_MIN, INT64_MAX);
  } else if (json.IsNumber()) {
    value.content = json.Number();
  } else if (json.IsArray()) {
    ManifestValue::List list;
    json.ForEach([&](const JsonValue& item) { list.push_back(ToValue(location, "", item)); });
    value.content = std::move(list);
  }
  return value;
}

ManifestTable ToTable(const std::string& location, const JsonValue& object) {
  ManifestTable table{location, {}};
  object.ForEachMember([&](std::string_view key, const JsonValue& value) {
    table.values.push_back(ToValue(location, key, value));
  });
  return table;
}

void AddLine(std::string_view line, const std::string& location, ManifestTables* tables) {
  const JsonDocument document = JsonDocument::Parse(AsBytes(line), location);
  const JsonValue root = document.root();
  const auto defaults = root.Find(kDefaults);
  if (!defaults) {
    tables->states.push_back(ToTable(location, root));
    return;
  }
  if (root.size() != 1 || tables->defaults || !tables->states.empty())
    Throw(ErrorKind::kInvalidArgument, "{}: '{}' stands alone on the first line", location,
          kDefaults);
  tables->defaults = ToTable(location, *defaults);
}

}  // namespace

ManifestTables ReadJsonLinesManifest(std::string_view text, const std::string& name) {
  ManifestTables tables;
  for (size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    try {
      AddLine(line, fmt::format("{}:{}", Escaped(name), number), &tables);
    } catch (const Error& error) {  // what is corrupt elsewhere is a mistake of the user's here
      throw Error(ErrorKind::kInvalidArgument, error.what());
    }
  }
  return tables;
}

}  // namespace statelib::cli
