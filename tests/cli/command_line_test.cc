// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "tests/cli/process.h"

namespace statelib::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

size_t LinesIn(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(CommandLine, HelpNamesEveryCommandAndEveryExitCode) {
  const ProcessResult result = RunStatelib({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  for (const CommandDescription& command : AllCommands()) {
    const std::string name = command.name;
    EXPECT_THAT(result.out, HasSubstr("\n  " + name.substr(0, name.find(' ')) + " "));
  }
  for (const char* code :
       {"  0 ", "  1 ", "  2 ", "  3 ", "  4 ", "  5 ", "  6 ", "  7 ", "  8 ", "  130 "})
    EXPECT_THAT(result.out, HasSubstr(code));
}

TEST(CommandLine, EveryCommandHasHelpWithExamples) {
  for (const CommandDescription& command : AllCommands()) {
    std::vector<std::string> arguments;
    std::istringstream words(command.name);
    for (std::string word; words >> word;) arguments.push_back(word);
    arguments.push_back("--help");
    const ProcessResult result = RunStatelib(arguments);
    EXPECT_EQ(result.exit_code, 0) << command.name;
    EXPECT_THAT(result.out, HasSubstr(command.summary)) << command.name;
    EXPECT_THAT(result.out, HasSubstr("Examples:\n  ")) << command.name;
    EXPECT_THAT(result.out, HasSubstr(std::string("statelib ") + command.name)) << command.name;
  }
}

TEST(CommandLine, VersionIsOneLine) {
  const ProcessResult result = RunStatelib({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, StartsWith("statelib "));
  EXPECT_EQ(LinesIn(result.out), 1u);
}

TEST(CommandLine, AnUnknownCommandIsOneLineWithTheNearest) {
  const ProcessResult result = RunStatelib({"tokenise", "--text", "x"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err,
            "statelib: there is no command 'statelib tokenise'; did you mean tokenize?; see "
            "statelib --help\n");
}

TEST(CommandLine, UsageErrorsExitWithTwoAndOneLine) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {""},
      {"--nonsense"},
      {"tokenize", "--nonsense"},
      {"tokenize", "--text"},
      {"tokenize", "--text", "a", "--lines-json"},
      {"completion"},
      {"completion", "tcsh"},
      {"completion", "bash", "extra\nline"},
      {"completion", "--json", "bash"},
  };
  for (const auto& arguments : wrong) {
    const ProcessResult result = RunStatelib(arguments);
    const std::string what = testing::PrintToString(arguments);
    EXPECT_EQ(result.exit_code, 2) << what;
    EXPECT_EQ(result.out, "") << what;
    EXPECT_EQ(LinesIn(result.err), 1u) << what << result.err;
    EXPECT_THAT(result.err, HasSubstr("--help")) << what;
  }
}

TEST(CommandLine, WhatIsNoNumberIsRefusedAndNamed) {
  for (const char* const text : {"", " 3", "-1", "x", "3.5", "0x10", "nan"}) {
    const ProcessResult result = RunStatelib({"search", "--limit", text, "word"});
    EXPECT_EQ(result.exit_code, 2) << text;
    EXPECT_EQ(result.err, fmt::format("statelib: --limit: expected a whole number from 0 on, found "
                                      "\"{}\"; see statelib search --help\n",
                                      text));
  }
  const ProcessResult large = RunStatelib({"search", "--limit", "99999999999999999999", "word"});
  EXPECT_THAT(large.err, HasSubstr("which is too large"));
  for (const char* const text : {"", "-0.5", "1,5", "warm"}) {
    const ProcessResult result = RunStatelib({"generate", "x", "--temperature", text});
    EXPECT_EQ(result.exit_code, 2) << text;
    EXPECT_THAT(result.err, HasSubstr("--temperature: expected a number from 0 on")) << text;
  }
  const ProcessResult threads = RunStatelib({"generate", "x", "--threads", "5000"});
  EXPECT_THAT(threads.err, HasSubstr("--threads: expected a number up to 1024, found \"5000\""));
}

TEST(CommandLine, ErrorsAreJsonObjectsWhenAskedFor) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"tokenize", "--json", "no-such-file"},
        std::vector<std::string>{"tokenize", "no-such-file", "--json"}}) {
    const ProcessResult result = RunStatelib(arguments);
    EXPECT_EQ(result.exit_code, 3);
    const auto document = nlohmann::json::parse(result.err);
    EXPECT_EQ(document["error"]["kind"], "not_found");
    EXPECT_EQ(document["error"]["exit_code"], 3);
    EXPECT_THAT(document["error"]["message"].get<std::string>(), HasSubstr("no-such-file"));
  }
  const ProcessResult usage = RunStatelib({"tokenize", "--json", "--nonsense"});
  EXPECT_EQ(nlohmann::json::parse(usage.err)["error"]["kind"], "invalid_argument");
}

TEST(CommandLine, ErrorsCarryNoControlCharacters) {
  const ProcessResult result = RunStatelib({"tokenize", "a\x1b[31m\nb"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.err, "statelib: opening a\\x1b[31m\\nb: No such file or directory\n");
}

TEST(CommandLine, AFullDiskUnderStandardOutputIsAnIoError) {
  ProcessOptions options;
  options.out_path = "/dev/full";
  const ProcessResult result = RunStatelib({"--help"}, options);
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.err, "statelib: writing standard output: No space left on device\n");
}

TEST(CommandLine, AReaderThatHasGoneIsNoError) {
  const ProcessResult result =
      RunProgram({"bash", "-c",
                  "yes 'some words' | head -n 200000 | \"$0\" tokenize | head -n 1; "
                  "echo \"${PIPESTATUS[2]}\"",
                  STATELIB_PROGRAM});
  EXPECT_THAT(result.out, EndsWith("\n141\n"));
  EXPECT_EQ(result.err, "");
}

TEST(CommandLine, ErrorsAreColouredOnATerminalOnly) {
  ProcessOptions options;
  options.terminal = true;
  EXPECT_THAT(RunStatelib({"nonsense"}, options).out, HasSubstr("\x1b[31mstatelib:\x1b[0m"));
  options.environment["NO_COLOR"] = "1";
  EXPECT_THAT(RunStatelib({"nonsense"}, options).out, StartsWith("statelib: "));
  options.environment.erase("NO_COLOR");
  options.environment["TERM"] = "dumb";
  EXPECT_THAT(RunStatelib({"nonsense"}, options).out, StartsWith("statelib: "));
  EXPECT_THAT(RunStatelib({"nonsense"}).err, StartsWith("statelib: "));
}

TEST(CommandLine, CtrlCWhileWaitingForInputExitsWith130) {
  ProcessOptions options;
  options.terminal = true;
  options.input = "one\n";
  ProcessOptions piped;
  piped.input = "one\n";
  const std::string answer = RunStatelib({"tokenize"}, piped).out;
  ASSERT_THAT(answer, EndsWith("\n"));
  std::string seen;
  options.on_output = [&](pid_t process, std::string_view piece) {
    const bool before = seen.find(answer.substr(0, answer.size() - 1)) != std::string::npos;
    seen += piece;
    const bool now = seen.find(answer.substr(0, answer.size() - 1)) != std::string::npos;
    if (now && !before) ::kill(process, SIGINT);
  };
  const ProcessResult result = RunStatelib({"tokenize"}, options);
  EXPECT_EQ(result.exit_code, 130) << result.out;
}

}  // namespace
}  // namespace statelib::cli
