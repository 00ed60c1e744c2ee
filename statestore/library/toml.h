// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_TOML_H_
#define STATELIB_STATESTORE_LIBRARY_TOML_H_

#include <toml++/toml.h>

#include <string>
#include <string_view>

// TOML from outside. The parser's header is slow to compile: for source files alone.
namespace statelib::library {

/// Reads a document; `name` is what messages call it. The caller bounds its length; keys that would
/// nest without end are refused. Errors: kInvalidArgument with name and line.
toml::table ParseToml(std::string_view text, const std::string& name);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_TOML_H_
