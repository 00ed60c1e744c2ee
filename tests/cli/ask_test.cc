// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr const char* kQuestion = "What is the budget for the roof?";

class Ask : public LibraryTest {
 protected:
  void SetUp() override {
    Facts({"ingest", "roof",
           Write("roof.md",
                 "The budget for the roof is 5200 dollars. Tomas Lorter is responsible "
                 "for the roof.\n")});
  }
  nlohmann::json AskRoof() { return Facts({"ask", "roof", kQuestion, "--max-tokens", "24"}); }
};

TEST_F(Ask, TheAnswerAloneIsOnStandardOutput) {
  const auto facts = AskRoof();
  const ProcessResult result = Run({"ask", "roof", kQuestion, "--max-tokens", "24"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, facts["answer"].get<std::string>() + "\n");
  EXPECT_THAT(result.err, HasSubstr("[roof@1: "));
  EXPECT_THAT(result.err, HasSubstr(" 0 reprocessed; prompt "));
  EXPECT_EQ(Run({"ask", "roof", kQuestion, "--max-tokens", "24", "-q"}).out, result.out);
}

TEST_F(Ask, SaysWhatWasAskedAndWhatTheAnswerIsOf) {
  const auto facts = AskRoof();
  EXPECT_EQ(facts["question"], kQuestion);
  EXPECT_TRUE(facts["answer"].is_string());
  EXPECT_TRUE(facts["refused"].is_boolean()) << "the demo model's card has words for it";
  EXPECT_EQ(facts["reference"]["name"], "roof");
  EXPECT_EQ(facts["reference"]["version"], 1);
  EXPECT_EQ(facts["state"]["id"], Facts({"show", "roof"})["id"]);
  EXPECT_EQ(facts["state"]["profile"], "exact-f32-r1");
  EXPECT_EQ(facts["tokens_restored"], facts["state"]["tokens"]);
  EXPECT_EQ(facts["tokens_reprocessed"], 0);
  EXPECT_GT(facts["tokens_prompt"], 0);
  EXPECT_FALSE(facts.contains("sources"));
}

TEST_F(Ask, SourcesArePassagesOfTheDocument) {
  const auto facts = Facts({"ask", "roof", kQuestion, "--sources", "--max-tokens", "4"});
  ASSERT_EQ(facts["sources"].size(), 1u);
  EXPECT_THAT(facts["sources"][0]["snippet"], HasSubstr("5200 dollars"));
  EXPECT_EQ(facts["sources"][0]["states"][0]["source"], Path("roof.md"));
  const ProcessResult result = Run({"ask", "roof", kQuestion, "--sources"});
  EXPECT_THAT(result.out, HasSubstr("roof.md, byte "));
  EXPECT_THAT(result.out, HasSubstr("The [budget] for the [roof] is 5200 dollars."));
  EXPECT_THAT(Run({"ask", "roof", "Xylophone?", "--sources"}).err,
              HasSubstr("no passage of roof has a word of the question"));
}

TEST_F(Ask, TakesAQuestionFromStandardInput) {
  ProcessOptions piped;
  piped.input = std::string(kQuestion) + "\n";
  const auto facts = Facts({"ask", "roof", "-", "--max-tokens", "24"}, piped);
  EXPECT_EQ(facts["question"], kQuestion);
  EXPECT_EQ(facts["answer"], AskRoof()["answer"]);
  piped.input = "\n";
  EXPECT_THAT(ExpectFailure({"ask", "roof", "-"}, 2, piped), HasSubstr("the question is empty"));
}

TEST_F(Ask, AQuestionAloneIsRefusedWithTheWayToAsk) {
  EXPECT_THAT(ExpectFailure({"ask", kQuestion}, 2),
              HasSubstr("`statelib ask NAME 'QUESTION'` (statelib list shows the names)"));
  EXPECT_THAT(ExpectFailure({"ask", "nobody", kQuestion}, 3), HasSubstr("nobody"));
}

TEST_F(Ask, AnAnswerThatIsCutIsSaid) {
  EXPECT_THAT(Run({"ask", "roof", kQuestion, "--max-tokens", "1", "-q"}).err,
              testing::AnyOf("", HasSubstr("the answer was cut after 1 token; --max-tokens")));
  EXPECT_LE(Facts({"ask", "roof", kQuestion, "--max-tokens", "1"})["tokens_generated"], 1);
}

TEST_F(Ask, TheFormIsSetShownAndUnset) {
  const auto card = Facts({"model", "show", "demo"})["prompt"];
  EXPECT_THAT(card["question"], HasSubstr("{question}"));
  EXPECT_EQ(card["set"].size(), 0u);
  const ProcessResult set =
      Run({"model", "set", "demo", "prompt.question", R"(\nQ: {question}\nA:)"});
  EXPECT_EQ(set.exit_code, 0) << set.err;
  EXPECT_THAT(set.out, HasSubstr(R"('\nQ: {question}\nA:' (set here))"));
  const auto now = Facts({"model", "show", "demo"})["prompt"];
  EXPECT_EQ(now["question"], "\nQ: {question}\nA:");
  EXPECT_EQ(now["stop"], card["stop"]);
  EXPECT_EQ(now["set"], nlohmann::json({"question"}));
  EXPECT_THAT(Run({"model", "show", "demo"}).out, HasSubstr("(set here)"));
  EXPECT_EQ(Facts({"model", "set", "demo", "prompt.question", "--unset"})["prompt"], card);
  ExpectSound();
}

TEST_F(Ask, AFormThatIsNoneIsRefused) {
  EXPECT_THAT(ExpectFailure({"model", "set", "demo", "prompt.question", "Who?"}, 2),
              HasSubstr("expected {question} once"));
  EXPECT_THAT(ExpectFailure({"model", "set", "demo", "prompt.stop", "a\x1b[2J"}, 2),
              HasSubstr("\\x1b"));
  EXPECT_THAT(ExpectFailure({"model", "set", "demo", "stop", "x"}, 2),
              HasSubstr("there are prompt.question, prompt.stop, prompt.refusal"));
  EXPECT_THAT(ExpectFailure({"model", "set", "demo", "prompt.stop"}, 2), HasSubstr("neither"));
  EXPECT_THAT(ExpectFailure({"model", "set", "demo", "prompt.stop", "x", "--unset"}, 2),
              HasSubstr("both"));
}

}  // namespace
}  // namespace statelib::cli
