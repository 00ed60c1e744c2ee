// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <signal.h>

#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class Generate : public LibraryTest {
 protected:
  void SetUp() override {
    Facts({"ingest", "roof",
           Write("roof.md",
                 "The budget for the roof is 5200 dollars. Tomas Lorter is responsible "
                 "for the roof.\n")});
  }
};

TEST_F(Generate, NothingOfAStoredStateIsReadAgain) {
  const auto facts = Facts({"generate", "roof", " The roof", "--max-tokens", "5"});
  EXPECT_EQ(facts["tokens_restored"], Facts({"show", "roof"})["tokens"]);
  EXPECT_EQ(facts["tokens_reprocessed"], 0);
  EXPECT_EQ(facts["tokens_prompt"], 2);
  EXPECT_LE(facts["tokens_generated"], 5);
  EXPECT_GT(facts["first_token_ms"], 0);
  EXPECT_EQ(facts["saved"], nullptr);
}

TEST_F(Generate, WithoutAPromptTheStateItselfGoesOn) {
  const auto facts = Facts({"generate", "roof", "--max-tokens", "4", "--ignore-end"});
  EXPECT_EQ(facts["tokens_prompt"], 0);
  EXPECT_EQ(facts["tokens_generated"], 4);
}

TEST_F(Generate, TheAnswerIsOnStandardOutputAndTheSummaryBesideIt) {
  const Arguments arguments = {"generate", "roof", " The roof", "--max-tokens", "5"};
  const auto facts = Facts(arguments);
  const ProcessResult result = Run(arguments);
  EXPECT_EQ(result.out, facts["text"].get<std::string>() + "\n");
  EXPECT_THAT(result.err,
              MatchesRegex("\\[roof@1: [0-9]+ tokens restored in .*, 0 reprocessed; prompt 2 "
                           "tokens, answer [0-9]+ tokens?; first token after .*\\]\n"));
}

TEST_F(Generate, PromptsAndStopsTakeEscapesOnTheCommandLineAlone) {
  const auto answer = [&](const std::string& prompt) {
    return Facts({"generate", "roof", prompt, "--max-tokens", "20", "--ignore-end"});
  };
  const auto typed = answer(R"(\nQuestion:\tWho?\\)");
  const auto plain = answer("\nQuestion:\tWho?\\\\");
  EXPECT_EQ(typed["tokens_prompt"], plain["tokens_prompt"]);
  EXPECT_EQ(typed["text"], plain["text"]);
  ProcessOptions piped;
  piped.input = "\nQuestion:\tWho?\\";
  const Arguments from_input = {"generate", "roof",         "-",     "--max-tokens",
                                "20",       "--ignore-end", "--json"};
  EXPECT_EQ(nlohmann::json::parse(Run(from_input, piped).out)["text"], plain["text"]);
  // Standard input is read as it is.
  piped.input = R"(\nQuestion:\tWho?\\)";
  EXPECT_GT(nlohmann::json::parse(Run(from_input, piped).out)["tokens_prompt"],
            plain["tokens_prompt"]);
  // Whatever the answer is: an end that it has, in escapes.
  const std::string text = plain["text"];
  const size_t middle = text.find_first_not_of(" \n\t\\", text.size() / 2);
  ASSERT_NE(middle, std::string::npos) << text;
  std::string end;
  for (const char c : text.substr(0, middle + 1))
    end += c == '\n' ? R"(\n)" : c == '\t' ? R"(\t)" : c == '\\' ? R"(\\)" : std::string(1, c);
  const auto stopped = Facts({"generate", "roof", R"(\nQuestion:\tWho?\\)", "--max-tokens", "20",
                              "--ignore-end", "--stop", end});
  EXPECT_EQ(stopped["stop_reason"], "stop_text");
  EXPECT_EQ(stopped["text"], "");
  EXPECT_THAT(ExpectFailure({"generate", "roof", R"(C:\dir)"}, 2),
              HasSubstr(R"("\dir": a backslash)"));
  EXPECT_THAT(ExpectFailure({"generate", "roof", "x", "--stop", R"(\x)"}, 2),
              HasSubstr("a backslash"));
}

TEST_F(Generate, JsonLinesAreThePiecesAndThenTheFacts) {
  const Arguments arguments = {"generate", "roof",         " The roof", "--max-tokens",
                               "6",        "--ignore-end", "--json",    "--stream"};
  const ProcessResult result = Run(arguments);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::istringstream lines(result.out);
  std::string pieces;
  nlohmann::json last;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_FALSE(last.contains("text")) << "the facts end it";
    last = nlohmann::json::parse(line);
    if (last.contains("piece")) {
      EXPECT_EQ(last.size(), 1u);
      pieces += last["piece"].get<std::string>();
    }
  }
  EXPECT_EQ(last["text"], pieces);
  EXPECT_EQ(last["tokens_generated"], 6);
  EXPECT_THAT(ExpectFailure({"generate", "roof", "--stream"}, 2), HasSubstr("--json"));
}

TEST_F(Generate, LogProbabilitiesAreOfEveryTokenAndOfTheLikeliest) {
  Arguments arguments = {"generate", "roof",         " The roof",  "--max-tokens",
                         "4",        "--ignore-end", "--logprobs", "3"};
  const auto facts = Facts(arguments);
  ASSERT_EQ(facts["logprobs"].size(), 4u);
  for (const auto& token : facts["logprobs"]) {
    ASSERT_EQ(token["best"].size(), 3u);
    EXPECT_EQ(token["best"][0]["token"], token["token"]) << "the likeliest is taken";
    EXPECT_LE(token["logprob"], 0.0);
    EXPECT_LE(token["best"][1]["logprob"], token["best"][0]["logprob"]);
    EXPECT_TRUE(token["text"].is_string());
  }
  const std::string text = facts["text"];
  const ProcessResult result = Run(arguments);
  EXPECT_TRUE(result.out.starts_with(text + "\nTOKEN")) << result.out;
  EXPECT_THAT(result.out, HasSubstr("LOGPROB  LIKELIEST"));
  arguments.push_back("-q");
  EXPECT_EQ(Run(arguments).out, text + "\n") << "the answer alone";
  EXPECT_FALSE(Facts({"generate", "roof", "--max-tokens", "1"}).contains("logprobs"));
  ExpectFailure({"generate", "roof", "--logprobs", "101"}, 2);
}

TEST_F(Generate, FromAStateEqualsFromTheWholeText) {
  const std::string text = Read(Path("roof.md"));
  const auto from_state = Facts({"generate", "roof", " The roof", "--max-tokens", "12"});
  const auto from_text =
      Facts({"generate", "--no-state", text + " The roof", "--max-tokens", "12"});
  EXPECT_EQ(from_state["text"], from_text["text"]);
  EXPECT_EQ(from_text["state"], nullptr);
  EXPECT_EQ(from_text["tokens_restored"], 0);
}

TEST_F(Generate, SavedAnswersAreStatesLikeAnyOther) {
  const auto first =
      Facts({"generate", "roof", " The roof", "--max-tokens", "4", "--save-as", "talk"});
  EXPECT_EQ(first["saved"]["reference"]["name"], "talk");
  const auto shown = Facts({"show", "talk"});
  EXPECT_EQ(shown["tokens"], first["tokens_restored"].get<uint64_t>() +
                                 first["tokens_prompt"].get<uint64_t>() +
                                 first["tokens_generated"].get<uint64_t>());
  EXPECT_EQ(shown["lineage"][0]["operation"], "generate");
  // Two answers of four tokens are the answer of eight.
  const auto second = Facts({"generate", "talk", "--max-tokens", "4", "--ignore-end"});
  const auto whole = Facts({"generate", "roof", " The roof", "--max-tokens", "8", "--ignore-end"});
  EXPECT_EQ(first["text"].get<std::string>() + second["text"].get<std::string>(), whole["text"]);
}

TEST_F(Generate, NoStateCanBeSavedToo) {
  const auto facts = Facts(
      {"generate", "--no-state", "Once upon a time", "--max-tokens", "3", "--save-as", "tale"});
  EXPECT_EQ(Facts({"show", "tale"})["tokens"],
            facts["tokens_prompt"].get<uint64_t>() + facts["tokens_generated"].get<uint64_t>());
}

TEST_F(Generate, TheSeedDecidesTheAnswer) {
  const Arguments base = {"generate",      "roof", "--max-tokens", "24",
                          "--temperature", "1.5",  "--ignore-end", "--seed"};
  const auto text = [&](const char* seed) {
    Arguments arguments = base;
    arguments.push_back(seed);
    return Facts(arguments)["text"];
  };
  EXPECT_EQ(text("7"), text("7"));
  EXPECT_NE(text("7"), text("8"));
}

TEST_F(Generate, PenaltiesChangeTheAnswerAndMayBeBelowZero) {
  const auto text = [&](const char* flag, const char* penalty) {
    return Facts({"generate", "roof", "--max-tokens", "40", "--ignore-end", flag, penalty})["text"];
  };
  for (const char* const flag : {"--presence-penalty", "--frequency-penalty"}) {
    EXPECT_NE(text(flag, "3.5"), text(flag, "0")) << flag;
    EXPECT_NE(text(flag, "-3.5"), text(flag, "0")) << flag;
  }
}

TEST_F(Generate, StopsBeforeAStopText) {
  const auto whole = Facts({"generate", "roof", "--max-tokens", "30", "--ignore-end"});
  const std::string text = whole["text"];
  ASSERT_GT(text.size(), 20u);
  const std::string stop = text.substr(10, 4);
  const auto cut =
      Facts({"generate", "roof", "--max-tokens", "30", "--ignore-end", "--stop", stop});
  EXPECT_EQ(cut["text"], text.substr(0, text.find(stop)));
  EXPECT_EQ(cut["stop_reason"], "stop_text");
}

TEST_F(Generate, ThePromptMayComeFromAPipe) {
  ProcessOptions options;
  options.input = " The roof";
  EXPECT_EQ(Facts({"generate", "roof", "-", "--max-tokens", "4"}, options)["text"],
            Facts({"generate", "roof", " The roof", "--max-tokens", "4"})["text"]);
}

TEST_F(Generate, SenselessOptionsAreRefused) {
  const std::vector<Arguments> wrong = {
      {"generate"},
      {"generate", "--no-state"},
      {"generate", "--no-state", "a", "b"},
      {"generate", "roof", "--temperature", "-1"},
      {"generate", "roof", "--temperature", "warm"},
      {"generate", "roof", "--top-p", "0"},
      {"generate", "roof", "--top-p", "1.5"},
      {"generate", "roof", "--min-p", "2"},
      {"generate", "roof", "--repetition-penalty", "0"},
      {"generate", "roof", "--presence-penalty", "-101"},
      {"generate", "roof", "--frequency-penalty", "nan"},
      {"generate", "roof", "--max-tokens", "-3"},
      {"generate", "roof", "--stop", ""},
      {"generate", "roof", "--save-as", "a b"},
      {"generate", "roof", "--save-as", "talk@3"},
      {"generate", "roof", "--threads", "-1"},
      {"generate", "roof", "--instruction-set", "abacus"},
  };
  for (const Arguments& arguments : wrong) ExpectFailure(arguments, 2);
}

TEST_F(Generate, CtrlCEndsTheAnswerAndKeepsWhatWasAskedToBeSaved) {
  ProcessOptions terminal;
  terminal.terminal = true;
  bool sent = false;
  terminal.on_output = [&sent](pid_t process, std::string_view) {
    if (!sent) ::kill(process, SIGINT);
    sent = true;
  };
  const ProcessResult result =
      Run({"generate", "roof", "--max-tokens", "1000000", "--ignore-end", "--save-as", "talk"},
          terminal);
  EXPECT_EQ(result.exit_code, 130) << result.out;
  EXPECT_THAT(result.out, HasSubstr("they are saved as talk@1"));
  EXPECT_GT(Facts({"show", "talk"})["tokens"], Facts({"show", "roof"})["tokens"]);
  ExpectSound();
}

TEST_F(Generate, AReaderThatGoesAwayDoesNotLoseWhatIsSaved) {
  ProcessOptions options;
  options.environment["STATELIB_HOME"] = Library();
  const ProcessResult result = RunProgram(
      {"bash", "-c",
       "\"$0\" generate roof --max-tokens 60 --ignore-end --save-as talk 2>&1 >/dev/full | cat "
       ">&2; "
       "\"$0\" generate roof --max-tokens 60 --ignore-end --save-as talk 2>/dev/null | true; "
       "echo \"${PIPESTATUS[0]}\"",
       STATELIB_PROGRAM},
      options);
  EXPECT_THAT(result.err, HasSubstr("No space left on device"));
  EXPECT_EQ(Facts({"log", "talk"})["versions"].size(), 1u);
  EXPECT_EQ(Facts({"log", "talk"})["versions"][0]["tokens"],
            Facts({"show", "roof"})["tokens"].get<uint64_t>() + 60);
}

}  // namespace
}  // namespace statelib::cli
