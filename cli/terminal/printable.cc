// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/printable.h"

#include <fmt/format.h>
#include <utf8proc.h>

namespace statelib::cli {

namespace {

struct Character {
  std::string_view bytes;
  utf8proc_int32_t code_point;  // negative when the bytes are not UTF-8
};

Character FirstOf(std::string_view text) {
  utf8proc_int32_t code_point = -1;
  const utf8proc_ssize_t size =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                       static_cast<utf8proc_ssize_t>(text.size()), &code_point);
  if (size <= 0) return {text.substr(0, 1), -1};
  return {text.substr(0, static_cast<size_t>(size)), code_point};
}

bool IsHarmless(utf8proc_int32_t code_point) {
  switch (utf8proc_category(code_point)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return false;
    case UTF8PROC_CATEGORY_CF:
      // Joiners shape letters and emoji; the other format characters reorder or hide text.
      return code_point == 0x200c || code_point == 0x200d;
    default:
      return true;
  }
}

std::string Escaped(const Character& character) {
  if (character.bytes == "\n") return "\\n";
  if (character.bytes == "\t") return "\\t";
  if (character.bytes == "\r") return "\\r";
  if (character.code_point < 0)
    return fmt::format("\\x{:02x}", static_cast<unsigned char>(character.bytes[0]));
  return character.code_point < 0x80 ? fmt::format("\\x{:02x}", character.code_point)
                                     : fmt::format("\\u{:04x}", character.code_point);
}

size_t WidthOf(const Character& character) {
  if (character.code_point < 0) return 1;
  const int width = utf8proc_charwidth(character.code_point);
  return width > 0 ? static_cast<size_t>(width) : 0;
}

}  // namespace

std::string Printable(std::string_view text, LineBreaks line_breaks) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Character character = FirstOf(text);
    const bool is_break = character.bytes == "\n" || character.bytes == "\t";
    const bool keep = is_break ? line_breaks == LineBreaks::kKeep
                               : character.code_point >= 0 && IsHarmless(character.code_point);
    if (keep)
      result += character.bytes;
    else
      result += Escaped(character);
    text.remove_prefix(character.bytes.size());
  }
  return result;
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const Character character = FirstOf(text);
    width += WidthOf(character);
    text.remove_prefix(character.bytes.size());
  }
  return width;
}

std::string Shorten(std::string_view text, size_t columns) {
  if (DisplayWidth(text) <= columns) return std::string(text);
  if (columns == 0) return "";
  size_t width = 0;
  std::string result;
  while (!text.empty()) {
    const Character character = FirstOf(text);
    width += WidthOf(character);
    if (width + 1 > columns) break;
    result += character.bytes;
    text.remove_prefix(character.bytes.size());
  }
  return result + "…";
}

}  // namespace statelib::cli
