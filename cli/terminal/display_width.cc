// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/display_width.h"

#include <utf8proc.h>

#include <algorithm>

#include "core/base/utf8.h"

namespace statelib::cli {

namespace {

/// Of the character at the front of `text`, of which it takes it away.
size_t TakeWidth(std::string_view* text) {
  const Utf8Unit unit = FrontUnit(*text);
  text->remove_prefix(unit.length);
  if (unit.kind != Utf8Unit::Kind::kCharacter) return 1;
  const auto code_point = static_cast<utf8proc_int32_t>(unit.code_point);
  // What has no meaning yet is counted, so that a line of it is cut too.
  if (utf8proc_category(code_point) == UTF8PROC_CATEGORY_CN) return 1;
  return static_cast<size_t>(std::max(0, utf8proc_charwidth(code_point)));
}

}  // namespace

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) width += TakeWidth(&text);
  return width;
}

std::string Shorten(std::string_view text, size_t columns) {
  if (DisplayWidth(text) <= columns) return std::string(text);
  if (columns == 0) return "";
  size_t width = 0;
  std::string_view rest = text;
  while (true) {
    std::string_view next = rest;
    width += TakeWidth(&next);
    if (width + 1 > columns) break;
    rest = next;
  }
  return std::string(text.substr(0, text.size() - rest.size())) + "…";
}

}  // namespace statelib::cli
