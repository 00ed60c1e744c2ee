// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/quoted.h"

#include <fmt/format.h>

#include <algorithm>

namespace statelib::checkpoint {

namespace {

constexpr size_t kQuotedMax = 100;
constexpr size_t kAxesMax = 16;
constexpr size_t kNameMax = 1024;

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

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

std::string ShapeText(std::span<const int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < std::min(shape.size(), kAxesMax); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", shape[i]);
  }
  return text + (shape.size() > kAxesMax ? ", …]" : "]");
}

bool IsPlainName(std::string_view name) {
  return !name.empty() && name.size() <= kNameMax &&
         std::none_of(name.begin(), name.end(), IsControl);
}

}  // namespace statelib::checkpoint
