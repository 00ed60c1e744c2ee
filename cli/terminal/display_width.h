// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_TERMINAL_DISPLAY_WIDTH_H_
#define STATELIB_CLI_TERMINAL_DISPLAY_WIDTH_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace statelib::cli {

/// How many terminal columns a text of UTF-8 takes: wide characters two, combining marks none.
size_t DisplayWidth(std::string_view text);

/// The longest beginning that fits in `columns`, with "…" in its last column when something was
/// cut.
std::string Shorten(std::string_view text, size_t columns);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_TERMINAL_DISPLAY_WIDTH_H_
