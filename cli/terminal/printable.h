// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_TERMINAL_PRINTABLE_H_
#define STATELIB_CLI_TERMINAL_PRINTABLE_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace statelib::cli {

enum class LineBreaks { kKeep, kEscape };

/// Text from outside, made safe for a terminal: control characters, direction marks and bytes that
/// are not UTF-8 become visible ("\x1b", "\u202e"), so that no document can move the cursor, change
/// colours or hide a name. Line feeds and tabs stay with kKeep and become "\n", "\t" with kEscape.
std::string Printable(std::string_view text, LineBreaks line_breaks);

/// How many terminal columns a text of UTF-8 takes: wide characters two, combining marks none.
size_t DisplayWidth(std::string_view text);

/// The longest beginning that fits in `columns`, with "…" in its last column when something was
/// cut.
std::string Shorten(std::string_view text, size_t columns);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_TERMINAL_PRINTABLE_H_
