// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_PATTERN_H_
#define STATELIB_CORE_TOKENIZER_PATTERN_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/json.h"

namespace statelib::tokenizer {

/// A span of a text: [begin, end), in bytes.
struct Span {
  size_t begin = 0;
  size_t end = 0;
};

/// A regular expression or a literal over Unicode text, compiled to machine code where the machine
/// allows. Expressions follow the dialect of tokenizer.json (Oniguruma's Ruby syntax) as far as it
/// agrees with PCRE2 after translation; what would mean something else is refused. Move-only.
/// Thread-compatible.
class Pattern {
 public:
  /// `location` names the place for messages. Errors: kCorrupt for a broken expression,
  /// kUnsupported for one that only the other dialect has.
  static Pattern Expression(std::string_view expression, const std::string& location);
  static Pattern Literal(std::string_view text);
  /// Reads {"Regex": "…"} or {"String": "…"}.
  static Pattern FromJson(const JsonValue& json);

  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  const std::string& source() const;

 private:
  friend class PatternSearch;
  struct Compiled;
  explicit Pattern(std::unique_ptr<const Compiled> compiled);

  std::unique_ptr<const Compiled> compiled_;
};

/// Finds the matches of a pattern in one text after the other, leftmost first, not overlapping.
/// Valid while the pattern and the text live. One thread.
class PatternSearch {
 public:
  explicit PatternSearch(const Pattern& pattern);
  ~PatternSearch();

  /// `text` is valid UTF-8; the pattern sees nothing around it.
  void Start(std::string_view text);
  /// The next match; false at the end. Errors: kUnsupported when the pattern backtracks beyond
  /// all measure on this text.
  bool Next(Span& match);

 private:
  struct Workspace;

  bool Find(size_t from, Span& match);

  const Pattern::Compiled* pattern_;
  std::unique_ptr<Workspace> workspace_;
  std::string_view text_;
  size_t from_ = 0;
  bool matched_before_ = false;  // a match ended at from_
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_PATTERN_H_
