// SPDX-License-Identifier: Apache-2.0
#include "core/base/utf8.h"

#include <cstring>

namespace statelib {

namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr uint64_t kHighBits = 0x8080808080808080;

/// What a lead byte promises; the second byte's range excludes overlong forms, surrogates and what
/// lies beyond U+10FFFF.
struct Lead {
  uint8_t length;  ///< 0: no character begins with this byte
  uint8_t second_min;
  uint8_t second_max;
};

Lead ReadLead(uint8_t byte) {
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

size_t AsciiPrefixLength(std::string_view bytes) {
  size_t at = 0;
  for (uint64_t word; at + sizeof(word) <= bytes.size(); at += sizeof(word)) {
    std::memcpy(&word, bytes.data() + at, sizeof(word));
    if ((word & kHighBits) != 0) break;
  }
  while (at < bytes.size() && static_cast<uint8_t>(bytes[at]) < 0x80) ++at;
  return at;
}

}  // namespace

Utf8Unit FrontUnit(std::string_view bytes) {
  const auto first = static_cast<uint8_t>(bytes[0]);
  if (first < 0x80) return {Utf8Unit::Kind::kCharacter, 1, first};
  const Lead lead = ReadLead(first);
  if (lead.length == 0) return {Utf8Unit::Kind::kInvalid, 1, kReplacement};
  char32_t code_point = first & (0x7FU >> lead.length);
  for (uint8_t i = 1; i < lead.length; ++i) {
    if (i == bytes.size()) return {Utf8Unit::Kind::kIncomplete, i, kReplacement};
    const auto byte = static_cast<uint8_t>(bytes[i]);
    const uint8_t min = i == 1 ? lead.second_min : 0x80;
    const uint8_t max = i == 1 ? lead.second_max : 0xBF;
    if (byte < min || byte > max) return {Utf8Unit::Kind::kInvalid, i, kReplacement};
    code_point = code_point << 6 | (byte & 0x3FU);
  }
  return {Utf8Unit::Kind::kCharacter, lead.length, code_point};
}

size_t ValidPrefixLength(std::string_view bytes) {
  size_t at = 0;
  while (true) {
    at += AsciiPrefixLength(bytes.substr(at));
    if (at == bytes.size()) return at;
    const Utf8Unit unit = FrontUnit(bytes.substr(at));
    if (unit.kind != Utf8Unit::Kind::kCharacter) return at;
    at += unit.length;
  }
}

size_t AppendComplete(std::string_view bytes, std::string& out) {
  size_t used = 0;
  while (true) {
    const std::string_view rest = bytes.substr(used);
    const size_t valid = ValidPrefixLength(rest);
    out.append(rest.substr(0, valid));
    used += valid;
    if (used == bytes.size()) return used;
    const Utf8Unit unit = FrontUnit(bytes.substr(used));
    if (unit.kind == Utf8Unit::Kind::kIncomplete) return used;
    out.append(kReplacementCharacter);
    used += unit.length;
  }
}

void AppendLossy(std::string_view bytes, std::string& out) {
  if (AppendComplete(bytes, out) < bytes.size()) out.append(kReplacementCharacter);
}

void AppendCodePoint(char32_t code_point, std::string& out) {
  const auto continuation = [&](int shift) {
    out.push_back(static_cast<char>(0x80U | (code_point >> shift & 0x3FU)));
  };
  if (code_point < 0x80) {
    out.push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    out.push_back(static_cast<char>(0xC0U | code_point >> 6));
    continuation(0);
  } else if (code_point < 0x10000) {
    out.push_back(static_cast<char>(0xE0U | code_point >> 12));
    continuation(6);
    continuation(0);
  } else {
    out.push_back(static_cast<char>(0xF0U | code_point >> 18));
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

bool IsWhiteSpace(char32_t code_point) {
  if (code_point < 0x80) return code_point == ' ' || (code_point >= 0x09 && code_point <= 0x0D);
  return code_point == 0x85 || code_point == 0xA0 || code_point == 0x1680 ||
         (code_point >= 0x2000 && code_point <= 0x200A) || code_point == 0x2028 ||
         code_point == 0x2029 || code_point == 0x202F || code_point == 0x205F ||
         code_point == 0x3000;
}

size_t LeadingWhiteSpace(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const Utf8Unit unit = FrontUnit(text.substr(at));
    if (!IsWhiteSpace(unit.code_point)) break;
    at += unit.length;
  }
  return at;
}

size_t TrailingWhiteSpace(std::string_view text) {
  size_t end = text.size();
  while (end > 0) {
    const size_t begin = LastCharacterBegin(text.substr(0, end));
    if (!IsWhiteSpace(FrontUnit(text.substr(begin, end - begin)).code_point)) break;
    end = begin;
  }
  return text.size() - end;
}

size_t LastCharacterBegin(std::string_view text) {
  size_t begin = text.size() - 1;
  while (begin > 0 && (static_cast<uint8_t>(text[begin]) & 0xC0U) == 0x80U) --begin;
  return begin;
}

}  // namespace statelib
