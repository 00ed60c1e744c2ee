// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_PROMPT_FORM_H_
#define STATELIB_CORE_BASE_PROMPT_FORM_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace statelib {

/// How a question is put to a model and how its answers end. A part that is not there is not known.
struct PromptForm {
  std::optional<std::string> question = {};  ///< the prompt; kQuestionField in it, once
  /// An answer ends before this text. Empty: only at a token that ends a text.
  std::optional<std::string> stop = {};
  /// The whole answer of a model that has found nothing. Empty: it has no words for that.
  std::optional<std::string> refusal = {};

  bool empty() const { return !question && !stop && !refusal; }
  bool operator==(const PromptForm&) const = default;
};

/// Stands for the question in the prompt.
inline constexpr std::string_view kQuestionField = "{question}";

/// A part of a prompt form and its name, "question".
struct PromptPart {
  const char* name;
  std::optional<std::string> PromptForm::*text;
  size_t bytes_max;
};

/// The parts, in the order of the struct.
std::span<const PromptPart> PromptParts();

/// Checks a text that a part is to have: it is UTF-8, of control characters it has line feeds and
/// tabs alone, it is not too long, and the prompt has its field once. Errors: kInvalidArgument with
/// the part's name.
void CheckPromptPart(const PromptPart& part, std::string_view text);
/// The same of all that a form has.
void CheckPromptForm(const PromptForm& form);

/// What `first` says, and where it says nothing what `second` says.
PromptForm Over(const PromptForm& first, const PromptForm& second);

/// The prompt for a question. The form has a prompt.
std::string PromptOf(const PromptForm& form, std::string_view question);

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_PROMPT_FORM_H_
