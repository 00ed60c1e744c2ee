// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/normal_form.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/base/utf8.h"
#include "core/tokenizer/newer_characters.h"

namespace statelib::tokenizer {

namespace {

// Below these code points nothing decomposes, reorders or composes with what stands before it.
constexpr char32_t kInertBelowNfc = 0x300;
constexpr char32_t kInertBelowOthers = 0x80;

constexpr size_t kDecompositionMax = 32;  // the longest of Unicode has 18 code points

utf8proc_option_t OptionsOf(NormalForm form) {
  int options = UTF8PROC_STABLE;
  const bool composes = form == NormalForm::kNfc || form == NormalForm::kNfkc;
  options |= composes ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  if (form == NormalForm::kNfkc || form == NormalForm::kNfkd) options |= UTF8PROC_COMPAT;
  return static_cast<utf8proc_option_t>(options);
}

void AppendDecomposition(char32_t code_point, utf8proc_option_t options,
                         std::vector<utf8proc_int32_t>& out) {
  std::array<utf8proc_int32_t, kDecompositionMax> parts{};
  int unused_boundary = 0;
  const utf8proc_ssize_t count =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code_point), parts.data(), parts.size(),
                              options, &unused_boundary);
  if (count < 0 || static_cast<size_t>(count) > parts.size()) {
    Throw(ErrorKind::kUnsupported, "U+{:04X} cannot be normalised: {}",
          static_cast<uint32_t>(code_point), utf8proc_errmsg(count));
  }
  out.insert(out.end(), parts.begin(), parts.begin() + count);
}

auto CombiningClass(utf8proc_int32_t code_point) {
  return utf8proc_get_property(code_point)->combining_class;
}

// The library's own ordering takes n^2 steps for n marks in a row; this one is a stable sort.
void OrderMarks(std::vector<utf8proc_int32_t>& text) {
  for (size_t at = 0; at < text.size();) {
    if (CombiningClass(text[at]) == 0) {
      ++at;
      continue;
    }
    size_t end = at + 1;
    while (end < text.size() && CombiningClass(text[end]) != 0) ++end;
    const auto begin = text.begin() + static_cast<std::ptrdiff_t>(at);
    std::stable_sort(begin, text.begin() + static_cast<std::ptrdiff_t>(end),
                     [](auto a, auto b) { return CombiningClass(a) < CombiningClass(b); });
    at = end;
  }
}

class Normalizing {
 public:
  explicit Normalizing(NormalForm form)
      : options_(OptionsOf(form)),
        inert_below_(form == NormalForm::kNfc ? kInertBelowNfc : kInertBelowOthers) {}

  // Characters that cannot change are copied; one of them joins the run behind it, for a mark
  // there may compose with it.
  std::string Run(std::string_view text) {
    out_.reserve(text.size());
    size_t copied = 0;
    size_t last = 0;  // where the character before `at` begins
    for (size_t at = 0; at < text.size();) {
      const Utf8Unit unit = FrontUnit(text.substr(at));
      if (unit.code_point < inert_below_) {
        last = at;
        at += unit.length;
        continue;
      }
      const size_t begin = std::max(copied, last);
      out_.append(text.substr(copied, begin - copied));
      at = RunEnd(text, at);
      AppendNormalized(text.substr(begin, at - begin));
      copied = last = at;
    }
    out_.append(text.substr(copied));
    return std::move(out_);
  }

 private:
  size_t RunEnd(std::string_view text, size_t at) const {
    while (at < text.size()) {
      const Utf8Unit unit = FrontUnit(text.substr(at));
      if (unit.code_point < inert_below_) break;
      at += unit.length;
    }
    return at;
  }

  // A character that is new to normal forms ends what stands before it, and nothing behind it
  // composes with it.
  void AppendNormalized(std::string_view run) {
    for (size_t at = 0; at < run.size();) {
      const Utf8Unit unit = FrontUnit(run.substr(at));
      if (IsNewToNormalForms(unit.code_point)) {
        AppendOrdered();
        AppendCodePoint(unit.code_point, out_);
      } else {
        AppendDecomposition(unit.code_point, options_, decomposed_);
      }
      at += unit.length;
    }
    AppendOrdered();
  }

  void AppendOrdered() {
    if (decomposed_.empty()) return;
    OrderMarks(decomposed_);
    const utf8proc_ssize_t length = utf8proc_normalize_utf32(
        decomposed_.data(), static_cast<utf8proc_ssize_t>(decomposed_.size()), options_);
    if (length < 0) {
      Throw(ErrorKind::kUnsupported, "a text cannot be normalised: {}", utf8proc_errmsg(length));
    }
    for (const auto code_point : std::span(decomposed_).first(static_cast<size_t>(length)))
      AppendCodePoint(static_cast<char32_t>(code_point), out_);
    decomposed_.clear();
  }

  utf8proc_option_t options_;
  char32_t inert_below_;
  std::string out_;
  std::vector<utf8proc_int32_t> decomposed_;  // of the characters not yet in out_
};

}  // namespace

std::string Normalize(std::string_view text, NormalForm form) {
  return Normalizing(form).Run(text);
}

}  // namespace statelib::tokenizer
