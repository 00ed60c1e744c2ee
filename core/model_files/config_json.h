// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_CONFIG_JSON_H_
#define STATELIB_CORE_MODEL_FILES_CONFIG_JSON_H_

#include <span>
#include <string>

#include "core/base/json.h"

namespace statelib::model_files {

/// Parses a configuration as its writers spell it: JSON, and the bare words Infinity, -Infinity and
/// NaN that Python's json module writes. A bare word becomes {"__float__": "Infinity"}, the form
/// that newer writers use. Errors: kCorrupt with `name`.
JsonDocument ParseConfig(ByteSpan text, const std::string& name);

/// A member of a configuration that is set to another value than the file has, or that the file
/// lacks.
struct ConfigFact {
  std::string key;
  std::string json;
};

/// Reads "KEY=VALUE": VALUE is JSON where it reads as such, else a string. Errors:
/// kInvalidArgument.
ConfigFact ParseConfigFact(const std::string& text);

/// The configuration with facts set: its other members stay in their order. Without facts it is the
/// text itself. Errors: kCorrupt with `name`.
std::string WithFacts(ByteSpan text, std::span<const ConfigFact> facts, const std::string& name);

/// A number that may be infinite: a JSON number, the strings "Infinity", "-Infinity", "inf",
/// "-inf", or {"__float__": one of these}. Errors: kCorrupt for anything else, NaN too.
double ExtendedNumber(const JsonValue& value);

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_CONFIG_JSON_H_
