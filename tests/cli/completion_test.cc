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
std::string BashOffers(const std::string& words) {
  const std::string script =
      "source <(\"$0\" completion bash); COMP_WORDS=(" + words +
      "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _statelib; echo \"${COMPREPLY[@]}\"";
  return RunProgram({"bash", "-c", script, STATELIB_PROGRAM}).out;
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
