// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/reference.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "core/base/error.h"
#include "core/base/letters.h"

namespace statelib::storage {

namespace {

constexpr size_t kSuggestionsMax = 3;

/// The length of the UTF-8 sequence at the front of `text`; 0 when there is none.
size_t Utf8Length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const size_t length = first < 0x80   ? 1
                        : first < 0xc2 ? 0
                        : first < 0xe0 ? 2
                        : first < 0xf0 ? 3
                                       : 4;
  if (length == 0 || first > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return 0;
  }
  const auto second = static_cast<unsigned char>(length > 1 ? text[1] : 0);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool beyond = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
  return overlong || beyond ? 0 : length;
}

void Check(std::string_view text, const char* what, bool slashes) {
  if (text.empty() || text.size() > kNameBytesMax) {
    Throw(ErrorKind::kInvalidArgument, "\"{}\": a {} has 1 to {} bytes, this one has {}",
          Escaped(text.substr(0, 40)), what, kNameBytesMax, text.size());
  }
  for (size_t i = 0; i < text.size();) {
    const Character character = FrontCharacter(text.substr(i));
    const char c = text[i];
    const bool letter = character.kind == CharacterKind::kLetterOrDigit;
    const bool mark = c == '.' || c == '_' || c == '-' || (slashes && c == '/') ||
                      character.kind == CharacterKind::kMark;
    const bool in_order = i > 0 && !(c == '/' && (text[i - 1] == '/' || i + 1 == text.size()));
    if (!letter && !(mark && in_order)) {
      Throw(ErrorKind::kInvalidArgument,
            "\"{}\": the character '{}' at place {} does not belong there: a {} begins with a "
            "letter or a digit and goes on with those, '.', '_'{} and '-'",
            Escaped(text), Escaped(text.substr(i, character.bytes)), i + 1, what,
            slashes ? ", single '/'" : "");
    }
    i += character.bytes;
  }
  if (Composed(text) != text) {
    Throw(ErrorKind::kInvalidArgument,
          "\"{}\": expected the letters of a {} composed (normal form C), found some with marks "
          "apart",
          Escaped(text), what);
  }
}

/// Levenshtein distance, two neighbours that have changed places counting once, or `limit` + 1 as
/// soon as it must be larger than `limit`.
size_t EditDistance(std::string_view a, std::string_view b, size_t limit) {
  if (a.size() > b.size() + limit || b.size() > a.size() + limit) return limit + 1;
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    if (*std::min_element(row.begin(), row.end()) > limit) return limit + 1;
    before_last.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string Reference::Text() const {
  std::string text = name;
  if (tag != kDefaultTag) text += ":" + tag;
  if (version) text += fmt::format("@{}", *version);
  return text;
}

Reference Reference::Parse(std::string_view given) {
  Reference reference;
  const std::string text = Composed(given);
  std::string_view rest = text;
  if (const size_t at = rest.find('@'); at != std::string_view::npos) {
    const std::string_view number = rest.substr(at + 1);
    uint64_t version = 0;
    const auto [end, error] = std::from_chars(number.begin(), number.end(), version);
    if (error != std::errc() || end != number.end() || version == 0) {
      Throw(ErrorKind::kInvalidArgument,
            "\"{}\": expected a version number from 1 after '@', found \"{}\"", Escaped(text),
            Escaped(number));
    }
    reference.version = version;
    rest = rest.substr(0, at);
  }
  if (const size_t colon = rest.find(':'); colon != std::string_view::npos) {
    CheckTag(rest.substr(colon + 1));
    reference.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  CheckName(rest);
  reference.name = rest;
  return reference;
}

void CheckName(std::string_view name) { Check(name, "name", true); }

void CheckTag(std::string_view tag) { Check(tag, "tag", false); }

std::string Escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    // U+0080 to U+009F are control characters too.
    const bool control =
        first < 0x20 || first == 0x7f ||
        (length == 2 && first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0);
    const bool plain = length > 0 && !control && first != '"' && first != '\\';
    const size_t taken = std::max<size_t>(1, length);
    for (size_t i = 0; i < taken; ++i) {
      if (plain) out += text[i];
      if (!plain) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
    }
    text.remove_prefix(taken);
  }
  return out;
}

std::vector<std::string> NearestNames(
    std::string_view wanted,
    const std::function<void(const std::function<void(const std::string&)>&)>& for_each) {
  const size_t limit = std::max<size_t>(1, wanted.size() / 3);
  std::vector<std::pair<size_t, std::string>> best;
  for_each([&](const std::string& name) {
    // One that goes on where the wanted name ends is near however long it is.
    const bool longer = wanted.size() >= 3 && name.starts_with(wanted);
    const size_t distance = longer ? 1 : EditDistance(wanted, name, limit);
    if (distance > limit) return;
    best.emplace_back(distance, name);
    std::sort(best.begin(), best.end());
    if (best.size() > kSuggestionsMax) best.pop_back();
  });
  std::vector<std::string> names;
  for (auto& [distance, name] : best) names.push_back(std::move(name));
  return names;
}

}  // namespace statelib::storage
