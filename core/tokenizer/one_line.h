// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_ONE_LINE_H_
#define STATELIB_CORE_TOKENIZER_ONE_LINE_H_

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace statelib::tokenizer {

/// A text from a file, fit for a one-line message: control bytes as \xNN.
inline std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      line += fmt::format("\\x{:02x}", byte);
    } else {
      line += c;
    }
  }
  return line;
}

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_ONE_LINE_H_
