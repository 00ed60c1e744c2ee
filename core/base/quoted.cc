// SPDX-License-Identifier: Apache-2.0
#include "core/base/quoted.h"

#include <fmt/format.h>

namespace statelib {

namespace {

constexpr size_t kQuotedMax = 100;

}  // namespace

std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text.substr(0, kQuotedMax)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (IsControl(c) || byte >= 0x80) {
      quoted += fmt::format("\\x{:02x}", byte);
    } else {
      quoted += c;
    }
  }
  return quoted + (text.size() > kQuotedMax ? "…\"" : "\"");
}

}  // namespace statelib
