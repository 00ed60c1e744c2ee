// SPDX-License-Identifier: Apache-2.0
// Prefix reuse and checkpoints on the command line.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

using ::testing::HasSubstr;

class CheckpointCommands : public LibraryTest {
 protected:
  static std::string Text(int sentences, const std::string& last = "") {
    std::string text;
    for (int i = 0; i < sentences; ++i)
      text += "On day " + std::to_string(i) + " the gate was painted red.\n";
    return text + last;
  }
};

TEST_F(CheckpointCommands, AnEditedDocumentSaysHowMuchWasReused) {
  Facts({"ingest", "a", Write("a.md", Text(20)), "--checkpoint-every", "64"});
  const std::string edited = Write("b.md", Text(16, "It rained.\n"));
  const std::string line = Run({"ingest", "a", edited, "--checkpoint-every", "64"}).out;
  EXPECT_THAT(line,
              testing::ContainsRegex("a@2: reused [0-9]+ of [0-9]+ tokens, [0-9]+ tokens read"));
  const auto again = Facts({"ingest", "c", edited, "--no-reuse", "--checkpoint-every", "0"});
  EXPECT_EQ(again["tokens_restored"], 0);
  EXPECT_EQ(again["checkpoints"], 0);
  EXPECT_EQ(again["reused_state"], nullptr);
  EXPECT_EQ(again["state"]["id"], Facts({"show", "a"})["id"]);
}

TEST_F(CheckpointCommands, CheckpointsAreListedAndBounded) {
  Facts({"ingest", "a", Write("a.md", Text(20)), "--checkpoint-every", "64"});
  const auto listed = Facts({"checkpoint", "list", "a"})["checkpoints"];
  ASSERT_GT(listed.size(), 2u);
  EXPECT_EQ(listed[0]["unfinished"], false);
  EXPECT_EQ(listed.back()["state"]["tokens"], 64);
  EXPECT_THAT(Run({"checkpoint", "list"}).out, HasSubstr("finished"));
  EXPECT_EQ(Facts({"checkpoint", "budget"})["budget_bytes"], 1 << 30);
  const auto budget = Facts({"checkpoint", "budget", "1.5 MB"});
  EXPECT_EQ(budget["budget_bytes"], 1500000);
  EXPECT_LE(budget["stored_bytes"], 1500000);
  EXPECT_LT(budget["checkpoints"], listed.size());
  EXPECT_THAT(Run({"checkpoint", "budget"}).out, HasSubstr("of 1.50 MB"));
  EXPECT_THAT(ExpectFailure({"checkpoint", "budget", "much"}, 2), HasSubstr("'much'"));
  EXPECT_THAT(ExpectFailure({"checkpoint", "budget", "--", "-5"}, 2), HasSubstr("'-5'"));
  ExpectSound();
}

TEST_F(CheckpointCommands, RemovingTheNameRemovesItsCheckpointsToo) {
  Facts({"ingest", "a", Write("a.md", Text(20)), "--checkpoint-every", "64"});
  Facts({"rm", "a"});
  Facts({"gc", "--grace", "0"});
  EXPECT_EQ(Facts({"checkpoint", "list"})["checkpoints"].size(), 0u);
}

TEST_F(CheckpointCommands, GenerateFindsTheStoredTextThatThePromptBeginsWith) {
  const std::string text = Text(6);
  const auto stored = Facts({"ingest", "a", Write("a.md", text)});
  const std::string question = "Question: what was painted?\nAnswer:";
  ProcessOptions options;
  options.input = text + question;
  const auto found =
      Facts({"generate", "--auto-prefix", "-", "--max-tokens", "3", "--save-as", "b"}, options);
  EXPECT_EQ(found["tokens_restored"], stored["state"]["tokens"]);
  EXPECT_EQ(found["reference"]["name"], "a");
  const auto named = Facts({"generate", "a", question, "--max-tokens", "3"});
  EXPECT_EQ(found["text"], named["text"]);
  const auto nothing = Facts({"generate", "--auto-prefix", "Hello", "--max-tokens", "1"});
  EXPECT_EQ(nothing["tokens_restored"], 0);
  EXPECT_THAT(ExpectFailure({"generate", "--auto-prefix"}, 2), HasSubstr("needs a prompt"));
}

}  // namespace
}  // namespace statelib::cli
