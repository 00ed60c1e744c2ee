// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_PRINTABLE_H_
#define STATELIB_CORE_BASE_PRINTABLE_H_

#include <string>
#include <string_view>

// The one escaper of text from outside, for messages, tables and terminals. What could end or
// disturb a line, move a cursor, change colours, reorder or hide text becomes visible: control
// characters, direction marks and other invisible format characters, line separators, characters
// for private use, noncharacters, and bytes that are not UTF-8. Everything else stays, letters of
// all scripts, their joiners and what no version of Unicode has a meaning for: what is escaped
// depends on no tables of a library, for names are recorded in this form.
//
// An escape is "\n", "\t" or "\r", "\x1b" for a byte, and "\u202e" for a character beyond ASCII.
//
// Pure functions: thread-safe, no errors.
namespace statelib {

/// Whether a byte would end or disturb a line of text.
constexpr bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

enum class LineBreaks { kKeep, kEscape };

/// Text that stands alone: quotes and backslashes stay, so what has been escaped stays as it is.
/// Line feeds and tabs stay with kKeep.
std::string Printable(std::string_view text, LineBreaks line_breaks = LineBreaks::kEscape);

/// Text that stands between double quotes: these and backslashes are escaped too, as "\x22" and
/// "\x5c". Of any length.
std::string Escaped(std::string_view text);

/// Escaped text in double quotes, cut after 100 bytes at most, which an ellipsis says.
std::string Quoted(std::string_view text);

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_PRINTABLE_H_
