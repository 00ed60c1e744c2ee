// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/library_file.h"

#include <toml++/toml.h>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/base/random_name.h"
#include "statestore/storage/reference.h"

namespace statelib::storage {

namespace {

toml::table ParseToml(std::string_view text, const std::string& location) {
  try {
    return toml::parse(text, location);
  } catch (const toml::parse_error& error) {
    Throw(ErrorKind::kCorrupt, "{}:{}: {}; `statelib repair` writes it again", location,
          error.source().begin.line, Escaped(error.description()));
  }
}

}  // namespace

LibraryIdentity RandomIdentity() {
  LibraryIdentity identity;
  FillRandom(identity.bytes);
  return identity;
}

std::string TextOf(const LibraryFile& file) {
  return fmt::format(
      "# A library of statelib. Its index and its records have the same identity.\n"
      "format = {}\nidentity = \"{}\"\n",
      kLibraryFormat, file.identity.Hex());
}

LibraryFile ParseLibraryFile(std::string_view text, const std::string& location) {
  const toml::table table = ParseToml(text, location);
  const auto format = table["format"].value_exact<int64_t>();
  if (format && *format != kLibraryFormat) {
    Throw(ErrorKind::kUnsupported,
          "{}: library format {}, this statelib knows {}; use a statelib that knows format {}",
          location, *format, kLibraryFormat, *format);
  }
  const auto identity =
      Digest::FromHex(table["identity"].value_exact<std::string>().value_or(std::string()));
  if (!format || !identity || table.size() != 2) {
    Throw(ErrorKind::kCorrupt,
          "{}: expected format and identity, 64 hexadecimal digits, and nothing else; `statelib "
          "repair` writes it again",
          location);
  }
  return {*identity};
}

}  // namespace statelib::storage
