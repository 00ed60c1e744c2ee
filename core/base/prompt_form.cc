// SPDX-License-Identifier: Apache-2.0
#include "core/base/prompt_form.h"

#include "core/base/error.h"
#include "core/base/letters.h"
#include "core/base/printable.h"

namespace statelib {

namespace {

constexpr PromptPart kParts[] = {{"question", &PromptForm::question, 4096},
                                 {"stop", &PromptForm::stop, 256},
                                 {"refusal", &PromptForm::refusal, 1024}};

size_t CountOf(std::string_view text, std::string_view what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

}  // namespace

std::span<const PromptPart> PromptParts() { return kParts; }

void CheckPromptPart(const PromptPart& part, std::string_view text) {
  if (text.size() > part.bytes_max) {
    Throw(ErrorKind::kInvalidArgument, "prompt.{}: {} bytes, expected at most {}", part.name,
          text.size(), part.bytes_max);
  }
  for (size_t i = 0; i < text.size();) {
    const Character character = FrontCharacter(text.substr(i));
    const bool control = IsControl(text[i]) && text[i] != '\n' && text[i] != '\t';
    if (control || character.kind == CharacterKind::kInvalid) {
      Throw(ErrorKind::kInvalidArgument,
            "prompt.{}: expected text in UTF-8 with no control characters but line feeds and tabs, "
            "found {} at byte {}",
            part.name, Quoted(text.substr(i, 1)), i);
    }
    i += character.bytes;
  }
  if (part.text != &PromptForm::question) return;
  if (const size_t fields = CountOf(text, kQuestionField); fields != 1) {
    Throw(ErrorKind::kInvalidArgument,
          "prompt.{}: expected {} once, where the question is to stand, found it {} times",
          part.name, kQuestionField, fields);
  }
}

void CheckPromptForm(const PromptForm& form) {
  for (const PromptPart& part : kParts)
    if (const auto& text = form.*part.text) CheckPromptPart(part, *text);
}

PromptForm Over(const PromptForm& first, const PromptForm& second) {
  PromptForm form = second;
  for (const PromptPart& part : kParts)
    if (const auto& text = first.*part.text) form.*part.text = text;
  return form;
}

std::string PromptOf(const PromptForm& form, std::string_view question) {
  std::string prompt = form.question.value();
  return prompt.replace(prompt.find(kQuestionField), kQuestionField.size(), question);
}

}  // namespace statelib
