// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/pattern_dialect.h"

#include "core/base/error.h"

namespace statelib::tokenizer {

namespace {

// White_Space as the inside of a class, and its complement: inside a class "not white space" can
// only be written as the ranges between.
constexpr std::string_view kSpaceRanges =
    R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr std::string_view kNonSpaceRanges =
    R"(\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff})"
    R"(\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff})";

// Word characters: PCRE2's own \w leaves out marks and connectors. Outside a class Oniguruma also
// counts Latin-1's superscripts and fractions.
constexpr std::string_view kWordMembers = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
constexpr std::string_view kBareWordMembers =
    R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{b2}\x{b3}\x{b9}\x{bc}-\x{be})";

// Escaped letters that mean the same in both dialects, besides those that are translated.
constexpr std::string_view kCommonEscapes = "dDpPntrfeaxAzZ";

bool IsAsciiLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class Translator {
 public:
  Translator(std::string_view expression, const std::string& location)
      : rest_(expression), expression_(expression), location_(location) {}

  std::string Run() {
    while (!rest_.empty()) {
      if (rest_[0] == '\\' && rest_.size() > 1) {
        Escape();
      } else if (in_class_) {
        ClassCharacter();
      } else {
        if (rest_.starts_with("(*") || rest_.starts_with("(?m")) Refuse(rest_.substr(0, 3));
        if (rest_[0] == '[') OpenClass();
        Copy(1);
      }
    }
    return std::move(out_);
  }

 private:
  void Copy(size_t bytes) {
    out_.append(rest_.substr(0, bytes));
    rest_.remove_prefix(bytes);
  }

  void Escape() {
    const char escaped = rest_[1];
    if (escaped == 's') return Replace(kSpaceRanges, "");
    if (escaped == 'S') return Replace(kNonSpaceRanges, "");
    if (escaped == 'w') return Replace(in_class_ ? kWordMembers : kBareWordMembers, "");
    if (escaped == 'W' && !in_class_) return Replace(kBareWordMembers, "^");
    if (IsAsciiLetter(escaped) && kCommonEscapes.find(escaped) == std::string_view::npos) {
      Refuse(rest_.substr(0, 2));
    }
    Copy(2);
  }

  // Puts the members of a class in the place of a two-byte escape.
  void Replace(std::string_view members, std::string_view negation) {
    out_ += in_class_ ? std::string(members) : fmt::format("[{}{}]", negation, members);
    rest_.remove_prefix(2);
  }

  // A ']' that stands first in a class is a member of it; it is copied with the bracket.
  void OpenClass() {
    in_class_ = true;
    size_t opening = 1;
    if (rest_.substr(opening).starts_with('^')) ++opening;
    if (rest_.substr(opening).starts_with(']')) ++opening;
    Copy(opening - 1);
  }

  void ClassCharacter() {
    if (rest_.starts_with("&&")) Refuse("&&");
    if (rest_.starts_with("[:")) {
      const size_t end = rest_.find(":]");
      if (end != std::string_view::npos) return Copy(end + 2);
    }
    if (rest_[0] == '[') Refuse("[ inside a class");
    if (rest_[0] == ']') in_class_ = false;
    Copy(1);
  }

  [[noreturn]] void Refuse(std::string_view construct) const {
    Throw(ErrorKind::kUnsupported,
          "{}: the regular expression \"{}\" uses {}, which this build cannot read exactly",
          location_, expression_, construct);
  }

  std::string_view rest_;
  std::string_view expression_;
  const std::string& location_;
  std::string out_;
  bool in_class_ = false;
};

}  // namespace

std::string TranslateExpression(std::string_view expression, const std::string& location) {
  return Translator(expression, location).Run();
}

}  // namespace statelib::tokenizer
