// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/process.h"
#include "tests/temporary_directory.h"

namespace statelib::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What bash offers for the words typed so far, the last one being completed.
std::string BashOffers(const std::string& words, const std::string& library = "") {
  const std::string script =
      "source <(\"$0\" completion bash); COMP_WORDS=(" + words +
      "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _statelib; echo \"${COMPREPLY[@]}\"";
  ProcessOptions options;
  options.environment["STATELIB_HOME"] = library;
  // The script asks the statelib of the path for names.
  const std::string folder = std::filesystem::path(STATELIB_PROGRAM).parent_path().string();
  options.environment["PATH"] = folder + ":/usr/bin:/bin";
  return RunProgram({"bash", "-c", script, STATELIB_PROGRAM}, options).out;
}

bool IsInstalled(const std::string& program) {
  return RunProgram({"bash", "-c", "command -v \"$0\"", program}).exit_code == 0;
}

TEST(Completion, BashAcceptsTheScript) {
  const TemporaryDirectory directory;
  const std::string file =
      directory.Write("completion.bash", RunStatelib({"completion", "bash"}).out).string();
  const ProcessResult result = RunProgram({"bash", "-n", file});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST(Completion, BashOffersCommandsOptionsAndNothingElse) {
  EXPECT_EQ(BashOffers("statelib tok"), "tokenize\n");
  EXPECT_THAT(BashOffers("statelib ''"), HasSubstr("detokenize"));
  EXPECT_EQ(BashOffers("statelib tokenize --lin"), "--lines-json\n");
  EXPECT_THAT(BashOffers("statelib detokenize -"), Not(HasSubstr("--lines-json")));
  EXPECT_EQ(BashOffers("statelib tokenize --text ''"), "\n");
  EXPECT_EQ(BashOffers("statelib model ch"), "check\n");
  EXPECT_EQ(BashOffers("statelib list --so"), "--sort\n");
}

TEST(Completion, BashOffersTheNamesOfStatesWhereTheyFit) {
  const TemporaryDirectory directory;
  const std::string library = (directory.path() / "library").string();
  ProcessOptions options;
  options.input = "The door of the map room is painted silver.";
  ASSERT_EQ(RunStatelib({"ingest", "maproom", "-", "--library", library}, options).exit_code, 0);
  EXPECT_EQ(BashOffers("statelib show ''", library), "maproom\n");
  EXPECT_EQ(BashOffers("statelib generate map", library), "maproom\n");
  EXPECT_EQ(BashOffers("statelib gc ''", library), "\n");
}

TEST(Completion, BashOffersWhatEachPlaceTakes) {
  const TemporaryDirectory directory;
  const std::string library = (directory.path() / "library").string();
  const std::string share = (directory.path() / "share").string();
  std::filesystem::create_directory(share);
  const auto run = [&](std::vector<std::string> arguments) {
    ProcessOptions options;
    options.input = "The door of the map room is painted silver.";
    arguments.insert(arguments.end(), {"--library", library});
    const ProcessResult result = RunStatelib(arguments, options);
    EXPECT_EQ(result.exit_code, 0) << result.err;
  };
  run({"ingest", "maproom:draft", "-"});
  run({"remote", "add", "ourshare", share});
  EXPECT_EQ(BashOffers("statelib push ours", library), "ourshare\n");
  EXPECT_EQ(BashOffers("statelib push ourshare map", library), "maproom:draft\n");
  EXPECT_EQ(BashOffers("statelib ls-remote --json ours", library), "ourshare\n");
  EXPECT_EQ(BashOffers("statelib show maproom : dr", library), "draft\n");
  EXPECT_EQ(BashOffers("statelib recode maproom --codec b", library), "bf16\n");
  EXPECT_EQ(BashOffers("statelib recode maproom --codec = b", library), "bf16\n");
  EXPECT_EQ(BashOffers("statelib generate maproom --model dem", library), "demo\n");
  EXPECT_EQ(BashOffers("statelib config get sampling.top", library),
            "sampling.top-k sampling.top-p\n");
  EXPECT_EQ(BashOffers("statelib completion z", library), "zsh\n");
}

TEST(Completion, ZshAcceptsTheScript) {
  if (!IsInstalled("zsh")) GTEST_SKIP() << "zsh is not installed";
  const TemporaryDirectory directory;
  const std::string file =
      directory.Write("_statelib", RunStatelib({"completion", "zsh"}).out).string();
  const ProcessResult result = RunProgram({"zsh", "-n", file});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST(Completion, FishAcceptsTheScript) {
  if (!IsInstalled("fish")) GTEST_SKIP() << "fish is not installed";
  const TemporaryDirectory directory;
  const std::string file =
      directory.Write("statelib.fish", RunStatelib({"completion", "fish"}).out).string();
  const ProcessResult result = RunProgram({"fish", "--no-execute", file});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST(Completion, EveryScriptKnowsEveryTool) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = RunStatelib({"completion", shell}).out;
    EXPECT_THAT(script, HasSubstr("tokenize")) << shell;
    EXPECT_THAT(script, HasSubstr("lines-json")) << shell;
  }
}

}  // namespace
}  // namespace statelib::cli
