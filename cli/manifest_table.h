// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_MANIFEST_TABLE_H_
#define STATELIB_CLI_MANIFEST_TABLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace statelib::cli {

/// What a manifest holds, whichever its form: tables of keys and values that nothing has been made
/// of yet. Every part knows where it stands, "library.jsonl:12", for messages.
struct ManifestValue {
  using List = std::vector<ManifestValue>;
  /// std::monostate: a kind of value that no key takes, such as a date or null.
  using Content = std::variant<std::monostate, std::string, bool, int64_t, double, List>;

  std::string location;
  std::string key;  ///< "" in a list
  Content content = {};
};

struct ManifestTable {
  std::string location;
  std::vector<ManifestValue> values;
};

struct ManifestTables {
  std::optional<ManifestTable> defaults = {};  ///< for the states that do not say otherwise
  std::vector<ManifestTable> states;
};

/// TOML: tables [[state]] and a table [defaults]. Errors: kInvalidArgument with file and line.
ManifestTables ReadTomlManifest(std::string_view text, const std::string& name);

/// JSON lines: an object a line for each state; before them a line {"defaults": {…}}, if any. Blank
/// lines are passed over. Errors: kInvalidArgument with file and line.
ManifestTables ReadJsonLinesManifest(std::string_view text, const std::string& name);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_MANIFEST_TABLE_H_
