// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "cli/commands.h"
#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Help, IsTheSameAsACommandAndAsAFlag) {
  EXPECT_EQ(RunStatelib({"help"}).out, RunStatelib({"--help"}).out);
  EXPECT_EQ(RunStatelib({"help", "ingest"}).out, RunStatelib({"ingest", "--help"}).out);
  EXPECT_EQ(RunStatelib({"help", "model"}).out, RunStatelib({"model", "--help"}).out);
  EXPECT_EQ(RunStatelib({"help", "model", "add"}).out, RunStatelib({"model", "add", "--help"}).out);
  const ProcessResult unknown = RunStatelib({"help", "modle"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean model?"));
}

TEST(Help, OfAGroupHasExamplesOfItsOwnAndNoPlaceholder) {
  std::set<std::string> groups;
  for (const CommandDescription& command : AllCommands()) {
    const std::string name = command.name;
    if (const size_t space = name.find(' '); space != std::string::npos)
      groups.insert(name.substr(0, space));
  }
  EXPECT_GE(groups.size(), 6u);
  for (const std::string& group : groups) {
    const std::string text = RunStatelib({group, "--help"}).out;
    EXPECT_THAT(text, HasSubstr("Examples:\n  statelib " + group + " ")) << group;
    EXPECT_THAT(text, Not(HasSubstr("statelib COMMAND"))) << group;
    EXPECT_THAT(text, Not(HasSubstr("Exit codes"))) << group;
    EXPECT_THAT(text, Not(HasSubstr("SUBCOMMAND"))) << group;
  }
}

TEST(Help, ShowsChoicesWithoutAStrayColon) {
  const std::string text = RunStatelib({"help", "generate"}).out;
  EXPECT_THAT(text, HasSubstr("--weights auto|f32|bf16|int8|int4"));
  EXPECT_THAT(text, Not(HasSubstr(":{")));
}

TEST(Version, IsACommandAFlagAndALetter) {
  const std::string version = RunStatelib({"version"}).out;
  EXPECT_THAT(version, StartsWith("statelib "));
  EXPECT_EQ(RunStatelib({"--version"}).out, version);
  EXPECT_EQ(RunStatelib({"-V"}).out, version);
  const auto facts = nlohmann::json::parse(RunStatelib({"version", "--json"}).out);
  EXPECT_EQ("statelib " + facts["version"].get<std::string>() + "\n", version);
  const ProcessResult verbose = RunStatelib({"version", "-v"});
  EXPECT_EQ(verbose.out, version);
  EXPECT_THAT(verbose.err, HasSubstr("instruction sets: "));
}

TEST(DidYouMean, AnUnknownOptionIsOneLineWithTheNearest) {
  const ProcessResult result = RunStatelib({"list", "--srot", "age"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(
      result.err,
      "statelib: statelib list has no option '--srot'; did you mean --sort?; see statelib list "
      "--help\n");
  // Also where something that is required is missing, too.
  EXPECT_THAT(RunStatelib({"ingest", "--includ", "*.md"}).err,
              HasSubstr("did you mean --include?"));
  EXPECT_THAT(RunStatelib({"show", "a", "b"}).err,
              HasSubstr("statelib show takes no further argument, found 'b'"));
  EXPECT_THAT(RunStatelib({"list", "--sort", "agee"}).err, HasSubstr("did you mean age?"));
}

class Cli : public LibraryTest {
 protected:
  void SetUp() override { Facts({"ingest", "roof", Write("roof.md", "The roof leaks.\n")}); }
};

TEST_F(Cli, LsIsList) { EXPECT_EQ(Run({"ls"}).out, Run({"list"}).out); }

TEST_F(Cli, AWrongNameOfAnythingIsToldTheNearest) {
  std::filesystem::create_directory(Path("share"));
  Facts({"remote", "add", "office", Path("share")});
  Facts({"tag", "roof", "reviewed"});
  Facts({"key", "create", "ourkey"});
  EXPECT_THAT(ExpectFailure({"show", "rof"}, 3), HasSubstr("did you mean roof?"));
  EXPECT_THAT(ExpectFailure({"show", "roof:reviewd"}, 3), HasSubstr("did you mean roof:reviewed?"));
  EXPECT_THAT(ExpectFailure({"show", "roof:xyz"}, 3),
              HasSubstr("did you mean roof:latest or roof:reviewed?"));
  EXPECT_THAT(ExpectFailure({"push", "offise", "roof"}, 3), HasSubstr("did you mean office?"));
  EXPECT_THAT(ExpectFailure({"remote", "rm", "offise"}, 3), HasSubstr("did you mean office?"));
  EXPECT_THAT(ExpectFailure({"model", "show", "demp"}, 3), HasSubstr("did you mean demo?"));
  EXPECT_THAT(ExpectFailure({"key", "rm", "ourkye"}, 3), HasSubstr("did you mean ourkey?"));
}

TEST_F(Cli, VerboseSaysWhatWasChosenAndWhy) {
  const ProcessResult result = Run({"generate", "roof", "--max-tokens", "1", "-v"});
  EXPECT_THAT(result.err, HasSubstr("library: " + Library() + " ($STATELIB_HOME)\n"));
  EXPECT_THAT(result.err, HasSubstr("(the state was made with it)\n"));
  EXPECT_THAT(result.err, HasSubstr("computing: cpu "));
  EXPECT_THAT(result.err, HasSubstr("; weights f32; profile exact-f32-r1\n"));
  EXPECT_THAT(Run({"list", "-v", "--library", Library()}).err,
              HasSubstr("library: " + Library() + " (--library)\n"));
  EXPECT_THAT(Run({"generate", "--no-state", "Once", "--max-tokens", "1", "-v"}).err,
              HasSubstr("it comes with statelib"));
  EXPECT_EQ(Run({"list"}).err, "");
}

TEST_F(Cli, NotesAreInTheJsonDocumentAndNotOnStandardError) {
  ProcessOptions options;
  const ProcessResult text = Run({"list", "nothing*"});
  EXPECT_EQ(text.err, "no states of that name in " + Library() + "\n");
  const ProcessResult json = Run({"list", "nothing*", "--json"});
  EXPECT_EQ(json.err, "");
  EXPECT_EQ(nlohmann::json::parse(json.out)["notes"].dump(),
            "[\"no states of that name in " + Library() + "\"]");
  EXPECT_EQ(Facts({"list"})["notes"], nlohmann::json::array());
  EXPECT_THAT(Facts({"list", "-v"})["notes"].dump(), HasSubstr("library: "));
}

TEST_F(Cli, NotesOfDocumentsAreInTheJsonDocumentToo) {
  const std::string file = Write("damaged.txt", "The roof \xff leaks.\n");
  const std::string told = "damaged.txt: read as WINDOWS-1252, a guess by its bytes";
  EXPECT_THAT(Run({"ingest", "one", file}).err, EndsWith(told + "\n"));
  const ProcessResult json = Run({"ingest", "two", file, "--json"});
  EXPECT_EQ(json.err, "");
  EXPECT_THAT(nlohmann::json::parse(json.out)["notes"].dump(), HasSubstr(told));
}

TEST_F(Cli, NotesOfACommandThatFailsAreInItsError) {
  const ProcessResult result = Run({"show", "missing", "--json", "-v"});
  const auto document = nlohmann::json::parse(result.err);
  EXPECT_EQ(document["error"]["kind"], "not_found");
  EXPECT_THAT(document["notes"].dump(), HasSubstr("library: "));
}

}  // namespace
}  // namespace statelib::cli
