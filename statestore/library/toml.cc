// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/toml.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "statestore/storage/reference.h"

namespace statelib::library {

namespace {

// More than any file of ours has; the library nests a table for each and leaves them by recursion.
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
      Throw(ErrorKind::kInvalidArgument, "{}:{}: a key of more than {} parts", Escaped(name), line,
            kKeyPartsMax);
    }
    line += static_cast<size_t>(std::count(text.data() + i, text.data() + end, '\n'));
    i = end;
  }
}

}  // namespace

toml::table ParseToml(std::string_view text, const std::string& name) {
  CheckKeys(text, name);
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    Throw(ErrorKind::kInvalidArgument, "{}:{}: {}", Escaped(name), error.source().begin.line,
          Escaped(error.description()));
  }
}

}  // namespace statelib::library
