// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/prompt_card.h"

#include <gmock/gmock.h>

#include "statestore/library/exchange.h"
#include "statestore/storage/repair.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/library/demo_library.h"
#include "tests/statestore/library/exchange_fixture.h"

namespace statelib::library {
namespace {

namespace fs = std::filesystem;

const PromptForm kForm{"Q: {question}\nA:", "\n\n", "Unknown."};

class PromptCards : public DemoLibrary {
 protected:
  /// The demo model with another card, or without one.
  fs::path ModelWith(const std::string& name, const std::optional<std::string>& card) {
    const fs::path model = folder_.path() / name;
    fs::copy(DemoModel(), model);
    fs::remove(PromptCardPath(model));
    if (card) WriteCard(model, *card);
    return model;
  }
  static void WriteCard(const fs::path& model, const std::string& text) {
    std::ofstream(PromptCardPath(model)) << text;
  }
  storage::ModelRow Row() {
    return *library_.repository().index().models().Find(model_.identity.fingerprint);
  }
  PromptForm Form() { return PromptFormOf(library_, model_); }
};

const std::string kCard =
    "question = \"Q: {question}\\nA:\"\nstop = \"\"\"\n\n\n\"\"\"\nrefusal = 'Unknown.'\n";

TEST_F(PromptCards, LieInTheModelsFolderOrBesideItsFile) {
  EXPECT_EQ(PromptCardPath(DemoModel()), DemoModel() / "prompt.toml");
  EXPECT_EQ(PromptCardPath("/m/small.Q8_0.gguf"), "/m/small.Q8_0.prompt.toml");
}

TEST_F(PromptCards, AreTomlTexts) {
  EXPECT_EQ(ParsePromptCard(kCard, "card"), kForm);
  EXPECT_TRUE(ParsePromptCard("", "card").empty());
  const PromptForm stop = ParsePromptCard("stop = ''", "card");
  EXPECT_EQ(stop, (PromptForm{{}, "", {}}));
}

TEST_F(PromptCards, ThatAreNoneAreRefusedWithFileAndLine) {
  const auto refuse = [](const std::string& text, const std::string& said) {
    ExpectError(ErrorKind::kInvalidArgument, said, [&] { ParsePromptCard(text, "c.toml"); });
  };
  refuse("\nstop = 5", "c.toml:2: expected question, stop, refusal with a text each");
  refuse("stops = ['x']", "found 'stops'");
  refuse("stop = \"\\u001b\"", "c.toml:1: prompt.stop: expected text in UTF-8");
  refuse("question = 'Who?'", "expected {question} once");
  refuse("stop = 'x", "c.toml:1: ");
  refuse(std::string(3000, '.') + "x = 1", "a key of more than");
  const fs::path model = ModelWith("large", std::string(1 << 20, '#'));
  ExpectError(ErrorKind::kCorrupt, "prompt.toml: expected at most",
              [&] { ReadPromptCard(FileSystem::Real(), model); });
}

TEST_F(PromptCards, AreNoPartOfTheFingerprintNorOfWhatSaysThatFilesChanged) {
  const fs::path model = ModelWith("other", {});
  const ModelPlace place{model, "other"};
  EXPECT_EQ(FingerprintAt(library_, place), model_.identity.fingerprint);
  ASSERT_TRUE(RememberedKey(library_, place, {}));
  WriteCard(model, kCard);
  EXPECT_TRUE(RememberedKey(library_, place, {})) << "no weight has to be read again";
}

TEST_F(PromptCards, WhatWasSetComesBeforeTheFileAndTheFileBeforeTheIndex) {
  model_ = LoadModel(library_, {ModelWith("mine", kCard), "mine"}, {});
  EXPECT_EQ(Form(), kForm) << "before a state is there";
  IngestText("a", "The gate is open.");
  EXPECT_EQ(Row().card, kForm);
  WriteCard(model_.place.directory, "question = '{question}?'");
  EXPECT_EQ(Form(), (PromptForm{"{question}?", {}, {}}));
  EXPECT_EQ(SetPrompt(library_, "mine", "prompt.stop", "!").prompt,
            (PromptForm{"{question}?", "!", {}}));
  IngestText("b", "The gate is shut.");
  EXPECT_EQ(Row().card, (PromptForm{"{question}?", {}, {}}));
  fs::remove(PromptCardPath(model_.place.directory));
  EXPECT_EQ(Form(), (PromptForm{"{question}?", "!", {}}));
  EXPECT_EQ(SetPrompt(library_, "mine", "prompt.stop", {}).prompt,
            (PromptForm{"{question}?", {}, {}}));
}

TEST_F(PromptCards, ABrokenOneKeepsNoStateFromBeingSavedButIsSaid) {
  const fs::path broken = ModelWith("broken", "question = 5");
  model_ = LoadModel(library_, {broken, "broken"}, {});
  IngestText("a", "The gate is open.");
  EXPECT_TRUE(Row().card.empty());
  EXPECT_THAT(ShowModel(library_, "broken").card_problem, testing::HasSubstr("prompt.toml:1"));
  ExpectError(ErrorKind::kInvalidArgument, "prompt.toml:1", [&] { Form(); });
  ExpectError(ErrorKind::kInvalidArgument, "prompt.toml:1",
              [&] { AddModel(library_, broken, "again"); });
}

TEST_F(PromptCards, AddingAModelAgainKeepsWhatWasSet) {
  const fs::path model = ModelWith("mine", kCard);
  EXPECT_EQ(AddModel(library_, model, "mine").prompt, kForm);
  SetPrompt(library_, "mine", "prompt.refusal", "No.");
  fs::remove(PromptCardPath(model));
  EXPECT_EQ(AddModel(library_, model, "mine").prompt, (PromptForm{kForm.question, "\n\n", "No."}));
}

TEST_F(PromptCards, OnlyPartsThatThereAreCanBeSet) {
  AddModel(library_, DemoModel(), "demo");
  for (const char* key : {"prompt", "prompt.", "prompt.Question", "question", "weights"})
    ExpectError(ErrorKind::kInvalidArgument,
                "there are prompt.question, prompt.stop, prompt.refusal",
                [&] { SetPrompt(library_, "demo", key, "{question}"); });
  ExpectError(ErrorKind::kInvalidArgument, "prompt.question",
              [&] { SetPrompt(library_, "demo", "prompt.question", "Who?"); });
  ExpectError(ErrorKind::kNotFound, "no model named",
              [&] { SetPrompt(library_, "nobody", "prompt.stop", "x"); });
  EXPECT_TRUE(Row().prompt.empty());
}

TEST_F(PromptCards, ARepairBringsThemBack) {
  IngestText("a", "The gate is open.");
  SetPrompt(library_, "demo", "prompt.stop", "\n\n");
  SetPrompt(library_, "demo", "prompt.refusal", "");
  const storage::ModelRow before = Row();
  EXPECT_FALSE(before.card.empty());
  library_ = OpenLibrary("elsewhere");  // nobody has it open
  fs::remove(folder_.path() / "library" / "index.db");
  storage::RepairIndex(folder_.path() / "library", FileSystem::Real(), {.now_ms = 1});
  library_ = OpenLibrary("library");
  EXPECT_EQ(Row(), before);
}

class CarriedPromptCards : public ExchangeTest {};

TEST_F(CarriedPromptCards, WhatWasSetIsCarriedInEveryWay) {
  Library from = Open("from");
  const LoadedModel model = LoadModel(from, {DemoModel(), "demo"}, {});
  const Document document{"a.txt", "The gate is open."};
  Ingest(from, model, std::span(&document, 1), storage::Reference::Parse("a"), {});
  SetPrompt(from, "demo", "prompt.stop", "!");
  const PromptForm form = PromptFormOf(from, model);
  EXPECT_EQ(form, Over({{}, "!", {}}, ReadPromptCard(FileSystem::Real(), DemoModel())));
  const auto card_in = [&](const Library& library) {
    return library.repository().index().models().Find(model.identity.fingerprint)->card;
  };

  const std::filesystem::path file = folder_.path() / "a.statelib";
  ExportRecoded(from, {{"a"}, false}, file, {}, {.codec = storage::Codec::kInt8},
                [&](const storage::ResolvedState&) -> const LoadedModel& { return model; });
  Library by_file = Open("by_file");
  storage::BundleFile bundle = storage::BundleFile::Open(file);
  Import(by_file, bundle, "a", keys_, {.allow_unsigned = true}, {});
  EXPECT_EQ(card_in(by_file), form);

  PushFrom(from, {{"a"}, false});
  Library by_remote = Open("by_remote");
  PullInto(by_remote);
  EXPECT_EQ(card_in(by_remote), form);
}

}  // namespace
}  // namespace statelib::library
