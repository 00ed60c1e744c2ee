// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_QUOTED_H_
#define STATELIB_CORE_BASE_QUOTED_H_

#include <string>
#include <string_view>

namespace statelib {

/// Whether a byte would end or disturb a line of text.
constexpr bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// A text from a file, fit for a one-line message: in double quotes, control bytes and bytes beyond
/// ASCII as \xNN, cut after 100 bytes.
std::string Quoted(std::string_view text);

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_QUOTED_H_
