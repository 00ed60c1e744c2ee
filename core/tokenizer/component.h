// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_COMPONENT_H_
#define STATELIB_CORE_TOKENIZER_COMPONENT_H_

#include <span>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/json.h"

namespace statelib::tokenizer {

/// One row of a table that says which component types of tokenizer.json a stage knows. `Build` is a
/// pointer to the function that reads such a component.
template <typename Build>
struct ComponentType {
  std::string_view type;
  Build build;
};

/// The row of `json`'s "type". Errors: kUnsupported, naming the type and those that are known.
template <typename Build, size_t N>
Build FindComponent(const JsonValue& json, const ComponentType<Build> (&table)[N]) {
  const std::string_view type = json["type"].String();
  std::string known;
  for (const ComponentType<Build>& row : table) {
    if (row.type == type) return row.build;
    known += known.empty() ? "" : ", ";
    known += row.type;
  }
  Throw(ErrorKind::kUnsupported, "{}: unsupported type \"{}\"; supported: {}", json.Path(), type,
        known);
}

/// Members that may be missing, with the value that they then have.
inline bool BoolOr(const JsonValue& json, std::string_view key, bool otherwise) {
  const auto value = json.Find(key);
  return value ? value->Bool() : otherwise;
}
inline std::string_view StringOr(const JsonValue& json, std::string_view key,
                                 std::string_view otherwise) {
  const auto value = json.Find(key);
  return value ? value->String() : otherwise;
}

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_COMPONENT_H_
