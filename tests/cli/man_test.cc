// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "cli/commands.h"
#include "tests/cli/process.h"
#include "tests/temporary_directory.h"

namespace statelib::cli {
namespace {

using ::testing::HasSubstr;

class Manual : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(RunStatelib({"help", "--man", directory_.path().string()}).exit_code, 0);
  }
  std::string PathOf(std::string name) const {
    for (char& c : name) c = c == ' ' ? '-' : c;
    return (directory_.path() / (name + ".1")).string();
  }
  static std::string Read(const std::string& path) {
    std::ostringstream content;
    content << std::ifstream(path).rdbuf();
    return content.str();
  }

  const TemporaryDirectory directory_;
};

TEST_F(Manual, HasAPageForEveryCommandWithItsOptionsAndExamples) {
  EXPECT_THAT(Read(PathOf("statelib")), HasSubstr(".SH EXIT CODES\n"));
  for (const CommandDescription& command : AllCommands()) {
    const std::string page = Read(PathOf(std::string("statelib ") + command.name));
    EXPECT_THAT(page, HasSubstr(".SH NAME\n")) << command.name;
    EXPECT_THAT(page, HasSubstr("\\fB\\-\\-help\\fR")) << command.name;
    EXPECT_THAT(page, HasSubstr(".SH EXAMPLES\n.EX\n  ")) << command.name;
  }
  EXPECT_THAT(Read(PathOf("statelib model")), HasSubstr("\\fBstatelib\\-model\\-add\\fR(1)"));
}

TEST_F(Manual, IsSetWithoutAWarning) {
  if (RunProgram({"bash", "-c", "command -v man"}).exit_code != 0)
    GTEST_SKIP() << "man is not installed";
  const ProcessResult result = RunProgram({"bash", "-c",
                                           "for page in \"$0\"/*.1; do LC_ALL=C.UTF-8 man "
                                           "--warnings -E UTF-8 -l -Z \"$page\" >/dev/null; done",
                                           directory_.path().string()});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
}

TEST_F(Manual, ShowsTheWordsOfTheHelp) {
  if (RunProgram({"bash", "-c", "command -v man"}).exit_code != 0)
    GTEST_SKIP() << "man is not installed";
  ProcessOptions options;
  options.environment = {{"MANWIDTH", "100"}, {"LC_ALL", "C.UTF-8"}};
  const std::string text =
      RunProgram({"bash", "-c", "man -E UTF-8 -l \"$0\" | col -b", PathOf("statelib generate")},
                 options)
          .out;
  EXPECT_THAT(text, HasSubstr("statelib generate minutes '\\nQuestion: Who looks after the roof?"));
  EXPECT_THAT(text, HasSubstr("--top-k N"));
  EXPECT_THAT(text, HasSubstr("SAMPLING"));
}

}  // namespace
}  // namespace statelib::cli
