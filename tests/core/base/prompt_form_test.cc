// SPDX-License-Identifier: Apache-2.0
#include "core/base/prompt_form.h"

#include "tests/statestore/expect_error.h"

namespace statelib {
namespace {

const PromptPart& Part(const char* name) {
  for (const PromptPart& part : PromptParts())
    if (std::string_view(part.name) == name) return part;
  throw std::logic_error(name);
}

TEST(PromptForm, TheQuestionStandsWhereItsFieldIs) {
  PromptForm form;
  form.question = "\nQ: {question}\nA:";
  EXPECT_EQ(PromptOf(form, "Who?"), "\nQ: Who?\nA:");
  EXPECT_EQ(PromptOf(form, "{question}"), "\nQ: {question}\nA:") << "no field of the question's";
  EXPECT_EQ(PromptOf(form, ""), "\nQ: \nA:");
}

TEST(PromptForm, APromptHasItsFieldOnce) {
  for (const char* text : {"", "Q:", "{question} {question}", "{Question}"})
    ExpectError(ErrorKind::kInvalidArgument, "prompt.question: expected {question} once",
                [&] { CheckPromptPart(Part("question"), text); });
  CheckPromptPart(Part("question"), "{question}");
  CheckPromptPart(Part("stop"), "");
  CheckPromptPart(Part("refusal"), "Das Dokument sagt es nicht: {question} {question} é…");
}

TEST(PromptForm, OfControlCharactersLineFeedsAndTabsAloneAreTaken) {
  CheckPromptPart(Part("stop"), "\n\t");
  for (const std::string& text : {std::string("a\x1b[2J"), std::string("\r"), std::string(1, '\0'),
                                  std::string("\x7f"), std::string("\xff"), std::string("\xc3")})
    ExpectError(ErrorKind::kInvalidArgument, "prompt.stop: expected text in UTF-8",
                [&] { CheckPromptPart(Part("stop"), text); });
}

TEST(PromptForm, EveryPartHasALongestText) {
  for (const PromptPart& part : PromptParts()) {
    const std::string field =
        part.text == &PromptForm::question ? std::string(kQuestionField) : std::string();
    CheckPromptPart(part, field + std::string(part.bytes_max - field.size(), 'x'));
    ExpectError(ErrorKind::kInvalidArgument, std::string("prompt.") + part.name + ": ", [&] {
      CheckPromptPart(part, field + std::string(part.bytes_max + 1 - field.size(), 'x'));
    });
  }
}

TEST(PromptForm, WhatComesFirstCountsPartByPartAndAnEmptyTextIsOneToo) {
  const PromptForm first{{}, "", "No."}, second{"{question}", "\n", "Nothing."};
  EXPECT_EQ(Over(first, second), (PromptForm{"{question}", "", "No."}));
  EXPECT_EQ(Over({}, second), second);
  EXPECT_TRUE(PromptForm{}.empty());
  EXPECT_FALSE(first.empty());
}

}  // namespace
}  // namespace statelib
