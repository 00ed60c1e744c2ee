// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/ask.h"

#include <gmock/gmock.h>

#include "statestore/library/organise.h"
#include "statestore/library/prompt_card.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/library/demo_library.h"

namespace statelib::library {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kQuestion = "Who looks after the roof?";

class Asking : public DemoLibrary {
 protected:
  Asking() { IngestText("roof", "The budget for the roof is 5200 dollars.\n"); }

  AskedAnswer AskRoof(const std::string& question = kQuestion, AskOptions options = {}) {
    options.tokens_max = 24;
    return Ask(library_, model_, library_.Resolve("roof"), question, options);
  }
  /// What the state goes on with after a prompt, up to a stop.
  std::string Continued(const std::string& prompt, const std::string& stop) {
    LoadedState loaded = LoadState(library_, model_, library_.Resolve("roof"));
    engine::GenerateOptions options;
    options.tokens_max = 24;
    if (!stop.empty()) options.stop = {stop};
    return engine::Generate(*model_.runtime, loaded.state,
                            model_.runtime->tokenizer().Encode(prompt), options)
        .text;
  }
};

TEST_F(Asking, PutsTheQuestionInTheFormOfTheModelsCard) {
  const PromptForm card = ReadPromptCard(FileSystem::Real(), DemoModel());
  ASSERT_TRUE(card.question && card.stop);
  const AskedAnswer answer = AskRoof();
  EXPECT_EQ(answer.generation.text, Continued(PromptOf(card, kQuestion), *card.stop));
  SetPrompt(library_, "demo", "prompt.question", "\nTale: {question}\nOnce");
  SetPrompt(library_, "demo", "prompt.stop", "");
  EXPECT_EQ(AskRoof().generation.text,
            Continued("\nTale: " + std::string(kQuestion) + "\nOnce", ""));
}

TEST_F(Asking, ReadsNothingAgainAndChangesNothing) {
  const storage::ResolvedState before = library_.Resolve("roof");
  const AskedAnswer answer = AskRoof();
  EXPECT_EQ(answer.tokens_restored, before.state.history.token_count());
  EXPECT_EQ(answer.origin.state.id, before.state.id);
  const storage::ResolvedState after = library_.Resolve("roof");
  EXPECT_EQ(after.state.id, before.state.id);
  EXPECT_EQ(after.reference, before.reference);
  EXPECT_EQ(AskRoof().generation.tokens, answer.generation.tokens) << "the same each time";
}

TEST_F(Asking, TheAnswerHasNoSpaceAroundItHoweverItComes) {
  AskOptions options;
  std::string streamed;
  options.on_text = [&](std::string_view piece) { streamed += piece; };
  for (const char* form : {"\nQuestion: {question}\nAnswer:", "{question}", " {question} "}) {
    streamed.clear();
    SetPrompt(library_, "demo", "prompt.question", form);
    SetPrompt(library_, "demo", "prompt.stop", "");
    const AskedAnswer answer = AskRoof(std::string(" \n") + kQuestion + "\n", options);
    EXPECT_EQ(answer.question, kQuestion);
    EXPECT_EQ(answer.text, streamed);
    EXPECT_THAT(answer.generation.text, HasSubstr(answer.text));
    if (answer.text.empty()) continue;
    EXPECT_EQ(std::string_view(" \n\t\r").find(answer.text.front()), std::string_view::npos);
    EXPECT_EQ(std::string_view(" \n\t\r").find(answer.text.back()), std::string_view::npos);
  }
}

TEST_F(Asking, ARefusalIsTheWholeAnswerThatTheFormNames) {
  // A form after which the demo model says something, whatever it is.
  const std::string said = AskRoof().text;
  if (said.empty()) GTEST_FAIL() << "the demo model says nothing";
  SetPrompt(library_, "demo", "prompt.refusal", " " + said);
  EXPECT_EQ(AskRoof().refused, true);
  SetPrompt(library_, "demo", "prompt.refusal", said + " And more.");
  EXPECT_EQ(AskRoof().refused, false);
  SetPrompt(library_, "demo", "prompt.refusal", "");
  EXPECT_EQ(AskRoof().refused, std::nullopt) << "no way to tell";
}

TEST_F(Asking, AModelWithoutAFormIsNotGuessedAt) {
  const std::filesystem::path bare = folder_.path() / "bare";
  std::filesystem::copy(DemoModel(), bare);
  std::filesystem::remove(PromptCardPath(bare));
  std::ofstream(bare / "config.json", std::ios::app) << " ";
  model_ = LoadModel(library_, {bare, "bare"}, {});
  IngestText("roof", "The budget for the roof is 5200 dollars.\n");
  ExpectError(ErrorKind::kInvalidArgument,
              "`statelib model set bare prompt.question '\\nQuestion: {question}\\nAnswer:'`",
              [&] { AskRoof(); });
  SetPrompt(library_, "bare", "prompt.question", "\nQuestion: {question}\nAnswer:");
  EXPECT_EQ(AskRoof().refused, std::nullopt);
}

TEST_F(Asking, AQuestionOfNothingOrTooMuchIsRefused) {
  ExpectError(ErrorKind::kInvalidArgument, "the question is empty", [&] { AskRoof(" \n"); });
  ExpectError(ErrorKind::kInvalidArgument, "expected at most 65536",
              [&] { AskRoof(std::string(100000, 'x')); });
}

TEST_F(Asking, IsStoppedByAFlag) {
  CancelFlag cancel;
  AskOptions options;
  options.cancel = &cancel;
  options.on_first_token = [&] { cancel.Cancel(); };
  EXPECT_EQ(AskRoof(kQuestion, options).generation.reason, engine::StopReason::kCancelled);
}

TEST_F(Asking, PassagesAreThoseOfTheStateThatHasBeenAskedAlone) {
  IngestText("other", "The roof of another house. Who looks after it?\n");
  IngestText("long", std::string(4000, '.') +
                         "\n\nThe key to the map cabinet is kept by Vera.\n\n" +
                         std::string(4000, '.') + "\n\nThe cabinet.\n");
  AskOptions options;
  options.passages_max = 2;
  const std::vector<SearchResult> passages = AskRoof(kQuestion, options).passages;
  ASSERT_EQ(passages.size(), 1u);
  ASSERT_EQ(passages[0].holders.size(), 1u);
  EXPECT_EQ(passages[0].holders[0].name, "roof");
  EXPECT_THAT(passages[0].snippet, HasSubstr("5200 dollars"));
  EXPECT_THAT(AskRoof().passages, IsEmpty()) << "nobody wanted them";

  const auto best =
      PassagesFor(library_, library_.Resolve("long"), "Who keeps the key to the map cabinet?", 5);
  ASSERT_EQ(best.size(), 2u);
  EXPECT_THAT(best[0].snippet, HasSubstr("kept by Vera"));
}

TEST_F(Asking, PassagesOfAnOlderVersionAreItsOwnAndWhatItGoesOnFrom) {
  IngestText("log", "The red lamp is broken.\n");
  AppendText("log", "The red door is painted.\n");
  const auto count = [&](const std::string& name) {
    return PassagesFor(library_, library_.Resolve(name), "What is red?", 9).size();
  };
  EXPECT_EQ(count("log@1"), 1u);
  EXPECT_EQ(count("log@2"), 2u);
  EXPECT_EQ(count(library_.Resolve("log@2").state.id.Hex()), 2u) << "by its id";
}

TEST_F(Asking, QuestionsOfAnyCharactersFindWhatTheyFindAndNeverFail) {
  const storage::ResolvedState state = library_.Resolve("roof");
  for (const char* question : {"", "?", "\"", "' OR \"roof", "* NOT (", "what is the", "\xff roof",
                               "roof\" NEAR(", "col:roof", "^roof - roof"})
    EXPECT_LE(PassagesFor(library_, state, question, 3).size(), 1u) << question;
  EXPECT_EQ(PassagesFor(library_, state, "the", 3).size(), 1u) << "where it says nothing else";
  EXPECT_EQ(PassagesFor(library_, state, "\xff roof", 3).size(), 1u);
}

TEST_F(Asking, WithoutKeptTextThereAreNoPassages) {
  IngestOptions options;
  options.keep_tokens = false;
  IngestText("draft", "The budget for the roof is 5200 dollars.\n", options);
  EXPECT_THAT(PassagesFor(library_, library_.Resolve("draft"), kQuestion, 3), IsEmpty());
}

}  // namespace
}  // namespace statelib::library
