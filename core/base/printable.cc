// SPDX-License-Identifier: Apache-2.0
#include "core/base/printable.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/utf8.h"

namespace statelib {

namespace {

constexpr size_t kQuotedBytesMax = 100;

struct Range {
  char32_t first;
  char32_t last;
};

// Control and format characters, separators, and private use. Not among them: the joiners U+200C
// and U+200D, which shape letters and emoji.
constexpr Range kHarmful[] = {
    {0x0000, 0x001F},   {0x007F, 0x009F},    {0x00AD, 0x00AD},   {0x061C, 0x061C},
    {0x180E, 0x180E},   {0x200B, 0x200B},    {0x200E, 0x200F},   {0x2028, 0x202E},
    {0x2060, 0x206F},   {0xE000, 0xF8FF},    {0xFDD0, 0xFDEF},   {0xFEFF, 0xFEFF},
    {0xFFF0, 0xFFFB},   {0x1BCA0, 0x1BCA3},  {0x1D173, 0x1D17A}, {0xE0000, 0xE00FF},
    {0xE01F0, 0xE0FFF}, {0xF0000, 0x10FFFF},
};

bool IsHarmful(char32_t code_point) {
  const auto range = std::ranges::lower_bound(kHarmful, code_point, {}, &Range::last);
  const bool is_nonchar = (code_point & 0xFFFE) == 0xFFFE;
  return is_nonchar || (range != std::end(kHarmful) && range->first <= code_point);
}

void AppendEscape(std::string_view bytes, const Utf8Unit& unit, std::string* out) {
  switch (bytes[0]) {
    case '\n':
      *out += "\\n";
      return;
    case '\t':
      *out += "\\t";
      return;
    case '\r':
      *out += "\\r";
      return;
    default:
      break;
  }
  if (unit.kind == Utf8Unit::Kind::kCharacter && unit.code_point >= 0x80) {
    *out += fmt::format("\\u{:04x}", static_cast<uint32_t>(unit.code_point));
    return;
  }
  for (const char byte : bytes) {
    *out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  }
}

/// Escapes what is harmful and not in `kept`, and what is in `more`.
std::string Escape(std::string_view text, std::string_view kept, std::string_view more) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Utf8Unit unit = FrontUnit(text);
    const std::string_view bytes = text.substr(0, unit.length);
    const bool is_plain = unit.kind == Utf8Unit::Kind::kCharacter &&
                          (kept.find(bytes) != kept.npos || !IsHarmful(unit.code_point)) &&
                          more.find(bytes) == more.npos;
    if (is_plain) {
      out += bytes;
    } else {
      AppendEscape(bytes, unit, &out);
    }
    text.remove_prefix(unit.length);
  }
  return out;
}

}  // namespace

std::string Printable(std::string_view text, LineBreaks line_breaks) {
  return Escape(text, line_breaks == LineBreaks::kKeep ? "\n\t" : "", "");
}

std::string Escaped(std::string_view text) { return Escape(text, "", "\"\\"); }

std::string Quoted(std::string_view text) {
  if (text.size() <= kQuotedBytesMax) return "\"" + Escaped(text) + "\"";
  // Not in the middle of a character.
  std::string_view front = text.substr(0, kQuotedBytesMax);
  const std::string_view last = front.substr(LastCharacterBegin(front));
  if (FrontUnit(last).kind == Utf8Unit::Kind::kIncomplete) front.remove_suffix(last.size());
  return "\"" + Escaped(front) + "…\"";
}

}  // namespace statelib
