// SPDX-License-Identifier: Apache-2.0
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/tokenizer/pattern.h"

#include <pcre2.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/base/utf8.h"
#include "core/tokenizer/pattern_dialect.h"

namespace statelib::tokenizer {

namespace {

// Expressions of real tokenizers backtrack over one run of characters at most, once; a run as long
// as the whole input (2^31 bytes) stays far below. It ends an exponential expression in seconds.
constexpr uint32_t kMatchLimit = 1U << 28;
constexpr uint32_t kHeapLimitKib = 1U << 20;
constexpr size_t kExpressionBytesMax = 1U << 16;

struct CodeDeleter {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct MatchDataDeleter {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct MatchContextDeleter {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

std::string ReasonOf(int error) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

}  // namespace

struct Pattern::Compiled {
  std::string source;
  std::unique_ptr<pcre2_code, CodeDeleter> code;

  static std::unique_ptr<const Compiled> Make(std::string_view source, const std::string& pcre,
                                              uint32_t options, const std::string& location) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    auto compiled = std::make_unique<Compiled>();
    compiled->source = source;
    compiled->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pcre.data()), pcre.size(),
                                       options | PCRE2_UTF, &error, &offset, nullptr));
    if (!compiled->code) {
      const bool unknown = error == PCRE2_ERROR_UNKNOWN_UNICODE_PROPERTY;
      Throw(unknown ? ErrorKind::kUnsupported : ErrorKind::kCorrupt,
            "{}: expected a regular expression, found \"{}\": {} (at byte {})", location, source,
            ReasonOf(error), offset);
    }
    // Refused where the system forbids executable memory: then the interpreter does the same work.
    pcre2_jit_compile(compiled->code.get(), PCRE2_JIT_COMPLETE);
    return compiled;
  }
};

Pattern::Pattern(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Pattern Pattern::Expression(std::string_view expression, const std::string& location) {
  if (expression.size() > kExpressionBytesMax) {
    Throw(ErrorKind::kUnsupported,
          "{}: expected a regular expression of at most {} bytes, found {} bytes", location,
          kExpressionBytesMax, expression.size());
  }
  // MULTILINE: in Ruby's syntax ^ and $ always stand at line ends. \C would cut characters.
  constexpr uint32_t kOptions = PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  return Pattern(
      Compiled::Make(expression, TranslateExpression(expression, location), kOptions, location));
}

Pattern Pattern::Literal(std::string_view text) {
  return Pattern(Compiled::Make(text, std::string(text), PCRE2_LITERAL, "literal"));
}

Pattern Pattern::FromJson(const JsonValue& json) {
  if (const auto expression = json.Find("Regex")) {
    return Expression(expression->String(), expression->Path());
  }
  if (const auto text = json.Find("String")) {
    if (text->String().empty()) {
      Throw(ErrorKind::kUnsupported, "{}: expected a text to look for, found an empty one",
            text->Path());
    }
    return Literal(text->String());
  }
  Throw(ErrorKind::kCorrupt, "{}: expected a member \"Regex\" or \"String\", found neither",
        json.Path());
}

const std::string& Pattern::source() const { return compiled_->source; }

struct PatternSearch::Workspace {
  std::unique_ptr<pcre2_match_data, MatchDataDeleter> data;
  std::unique_ptr<pcre2_match_context, MatchContextDeleter> context;
};

PatternSearch::PatternSearch(const Pattern& pattern)
    : pattern_(pattern.compiled_.get()), workspace_(std::make_unique<Workspace>()) {
  workspace_->data.reset(pcre2_match_data_create(1, nullptr));
  workspace_->context.reset(pcre2_match_context_create(nullptr));
  if (!workspace_->data || !workspace_->context) throw std::bad_alloc();
  pcre2_set_match_limit(workspace_->context.get(), kMatchLimit);
  pcre2_set_heap_limit(workspace_->context.get(), kHeapLimitKib);
}

PatternSearch::~PatternSearch() = default;

void PatternSearch::Start(std::string_view text) {
  text_ = text;
  from_ = 0;
  matched_before_ = false;
}

bool PatternSearch::Find(size_t from, Span& match) {
  const auto attempt = [&](uint32_t options) {
    return pcre2_match(pattern_->code.get(), reinterpret_cast<PCRE2_SPTR>(text_.data()),
                       text_.size(), from, options | PCRE2_NO_UTF_CHECK, workspace_->data.get(),
                       workspace_->context.get());
  };
  int found = attempt(0);
  // The compiled code has a small fixed stack; the interpreter's lies on the heap.
  if (found == PCRE2_ERROR_JIT_STACKLIMIT) found = attempt(PCRE2_NO_JIT);
  if (found == PCRE2_ERROR_NOMATCH) return false;
  if (found < 0) {
    Throw(ErrorKind::kUnsupported,
          "the regular expression \"{}\" cannot be searched for in a text of {} bytes: {}",
          Printable(pattern_->source), text_.size(), ReasonOf(found));
  }
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(workspace_->data.get());
  match = {bounds[0], bounds[1]};
  return true;
}

bool PatternSearch::Next(Span& match) {
  size_t from = from_;
  while (from <= text_.size() && !text_.empty()) {
    if (!Find(from, match)) break;
    // \K and lookaround can report odd bounds; nothing may go back behind the last match.
    match.begin = std::max(match.begin, from);
    match.end = std::max(match.end, match.begin);
    const bool empty = match.begin == match.end;
    if (!empty || !matched_before_ || match.begin != from_) {
      from_ = match.end;
      matched_before_ = true;
      return true;
    }
    // An empty match where the last one ended is none: look on from the next character.
    if (from == text_.size()) break;
    from += FrontUnit(text_.substr(from)).length;
  }
  from_ = text_.size() + 1;
  return false;
}

}  // namespace statelib::tokenizer
