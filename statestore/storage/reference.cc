// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/reference.h"

#include <charconv>

#include "core/base/error.h"
#include "core/base/letters.h"
#include "core/base/printable.h"

namespace statelib::storage {

namespace {

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

}  // namespace statelib::storage
