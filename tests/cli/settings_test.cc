// SPDX-License-Identifier: Apache-2.0
#include "cli/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/base/error.h"
#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

std::string MessageOf(std::string_view text) {
  try {
    Settings::Parse(text, "/c/config.toml");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
    return error.what();
  }
  return "";
}

TEST(Settings, EveryKindOfValueIsRead) {
  const Settings settings = Settings::Parse(
      "library = \"~/books\"\nmodel='small'\nthreads = 4\ncolour = \"never\"\n"
      "[sampling]\ntemperature = 1\ntop-p = 0.5\nseed = 7\n",
      "/c/config.toml");
  EXPECT_EQ(settings.Text("library"), "~/books");
  EXPECT_EQ(settings.Text("model"), "small");
  EXPECT_EQ(settings.Text("threads"), "4");
  EXPECT_EQ(settings.Text("sampling.temperature"), "1");
  EXPECT_EQ(settings.Text("sampling.top-p"), "0.5");
  EXPECT_EQ(settings.Find("remote"), nullptr);
  EXPECT_EQ(settings.PlaceOf(*settings.Find("threads")), "/c/config.toml:3");
}

TEST(Settings, ABadFileIsOneLineWithFileLineKeyExpectedFoundAndWhatToDo) {
  const char* const advice = "; correct the line or remove it";
  EXPECT_EQ(MessageOf("\nthreads = \"many\"\n"),
            std::string("/c/config.toml:2: threads: expected a whole number from 0 to 1024, found "
                        "\"many\"") +
                advice);
  EXPECT_EQ(MessageOf("threads = 4000\n"),
            std::string("/c/config.toml:1: threads: expected a whole number from 0 to 1024, found "
                        "'4000'") +
                advice);
  EXPECT_EQ(MessageOf("[sampling]\ntop-p = 2.5\n"),
            std::string("/c/config.toml:2: sampling.top-p: expected a number above 0 and up to 1, "
                        "found '2.5'") +
                advice);
  EXPECT_EQ(MessageOf("libary = \"/x\"\n"),
            std::string("/c/config.toml:1: there is no setting 'libary'; did you mean library?; "
                        "`statelib config set --help` lists them") +
                advice);
  EXPECT_THAT(MessageOf("temperature = 1\n"), HasSubstr("did you mean sampling.temperature?"));
}

TEST(Settings, NoTextMakesItFailInAnotherWay) {
  for (const char* text :
       {"x", "= 1", "library = 7\n", "library = \"books\"\n", "model = \"\"\n", "colour = true\n",
        "colour = \"red\"\n", "sampling = 3\n", "sampling = [1]\n", "[sampling]\ntop-k = 1.5\n",
        "threads = -1\n", "threads = nan\n", "[sampling]\ntemperature = inf\n", "[[library]]\n",
        "[threads]\nx = 1\n", "[sampling.more]\nx = 1\n", "library = 1979-05-27\n",
        "model = \"a\"\nmodel = \"b\"\n"}) {
    const std::string message = MessageOf(text);
    EXPECT_THAT(message, testing::StartsWith("/c/config.toml:")) << text;
    EXPECT_THAT(message, Not(HasSubstr("\n"))) << text;
  }
}

std::string Edited(const std::string& text, const char* key, std::optional<std::string> value) {
  return Settings::Edited(text, SettingNamed(key), value, "/c/config.toml");
}

TEST(Settings, AChangeLeavesEveryOtherLineAsItIs) {
  EXPECT_EQ(Edited("", "threads", "4"), "threads = 4\n");
  EXPECT_EQ(Edited("# mine\nthreads = 2 # few\nmodel = 'ä'\n", "threads", "4"),
            "# mine\nthreads = 4 # few\nmodel = 'ä'\n");
  EXPECT_EQ(Edited("model = 'ä' # ö\n", "model", "b\"\\"), "model = \"b\\\"\\\\\" # ö\n");
  EXPECT_EQ(Edited("# mine\n[sampling]\nseed = 1\n", "threads", "4"),
            "# mine\nthreads = 4\n[sampling]\nseed = 1\n");
  EXPECT_EQ(Edited("threads = 4", "sampling.seed", "1"), "threads = 4\n\n[sampling]\nseed = 1\n");
  EXPECT_EQ(Edited("[sampling]\n# none\ntop-k = 5\n", "sampling.seed", "1"),
            "[sampling]\nseed = 1\n# none\ntop-k = 5\n");
  EXPECT_EQ(Edited("threads = 4\nmodel = 'x'\n", "threads", std::nullopt), "model = 'x'\n");
  EXPECT_EQ(Edited("sampling.seed = 4\n", "sampling.seed", "5"), "sampling.seed = 5\n");
}

TEST(Settings, WhatCannotBeChangedAloneIsLeftToAPerson) {
  EXPECT_THROW(Edited("sampling = {seed = 1, top-k = 2}\n", "sampling.seed", std::nullopt), Error);
  EXPECT_THROW(Edited("sampling = {top-k = 2}\n", "sampling.seed", "1"), Error);
}

class SettingsFile : public LibraryTest {
 protected:
  void SetConfig(const std::string& text) { Write("config/statelib/config.toml", text); }
  std::string File() const { return Path("config/statelib/config.toml"); }
};

TEST_F(SettingsFile, SetGetAndUnsetGoTogether) {
  EXPECT_EQ(Run({"config", "set", "sampling.temperature", "0.50"}).out,
            "sampling.temperature: 0.5 in " + File() + "\n");
  EXPECT_EQ(Run({"config", "get", "sampling.temperature"}).out, "0.5\n");
  EXPECT_EQ(Facts({"config", "get", "sampling.temperature"})["from"], File() + ":2");
  EXPECT_EQ(Run({"config", "unset", "sampling.temperature"}).exit_code, 0);
  EXPECT_EQ(Run({"config", "get", "sampling.temperature"}).out, "0\n");
  EXPECT_THAT(ExpectFailure({"config", "unset", "sampling.temperature"}, 3), HasSubstr("not set"));
  EXPECT_THAT(ExpectFailure({"config", "get", "remote"}, 3), HasSubstr("config set remote"));
  EXPECT_THAT(ExpectFailure({"config", "set", "threads", "x"}, 2), HasSubstr("found 'x'"));
  EXPECT_THAT(ExpectFailure({"config", "get", "colur"}, 2), HasSubstr("did you mean colour?"));
}

TEST_F(SettingsFile, ANewFileIsItsOwnersAloneAndAnOldOneKeepsItsPermissions) {
  Facts({"config", "set", "threads", "2"});
  struct stat status {};
  ASSERT_EQ(::stat(File().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  ASSERT_EQ(::chmod(File().c_str(), 0640), 0);
  Facts({"config", "set", "threads", "1"});
  ASSERT_EQ(::stat(File().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
  EXPECT_EQ(Read(File()), "threads = 1\n");
}

TEST_F(SettingsFile, ListSaysWhereEachValueComesFrom) {
  SetConfig("library = \"/books\"\nthreads = 3\n");
  const auto facts = Facts({"config", "list"});
  EXPECT_EQ(facts["file"], File());
  std::map<std::string, std::pair<nlohmann::json, std::string>> settings;
  for (const auto& one : facts["settings"]) settings[one["key"]] = {one["value"], one["from"]};
  EXPECT_EQ(settings.size(), AllSettings().size());
  EXPECT_EQ(settings["library"],
            std::pair(nlohmann::json(Library()), std::string("$STATELIB_HOME")));
  EXPECT_EQ(settings["threads"], std::pair(nlohmann::json("3"), File() + ":2"));
  EXPECT_EQ(settings["sampling.top-p"], std::pair(nlohmann::json("1"), std::string("default")));
  EXPECT_EQ(settings["remote"], std::pair(nlohmann::json(), std::string("default")));
  EXPECT_THAT(Run({"config", "list"}).out, HasSubstr("config.toml:2"));
}

TEST_F(SettingsFile, AFlagWinsOverTheEnvironmentAndThatOverTheFile) {
  SetConfig("library = \"" + Path("in-file") + "\"\n");
  const auto library_of = [this](Arguments more, const std::string& home) {
    ProcessOptions options;
    options.environment["STATELIB_HOME"] = home;
    Arguments arguments = {"init", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProcessResult result = Run(arguments, options);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out)["library"].get<std::string>();
  };
  EXPECT_EQ(library_of({}, ""), Path("in-file"));
  EXPECT_EQ(library_of({}, Path("in-environment")), Path("in-environment"));
  EXPECT_EQ(library_of({"--library", Path("on-line")}, Path("in-other")), Path("on-line"));
}

TEST_F(SettingsFile, ThreadsAndSamplingAreThoseOfTheFileUnlessAFlagSaysOtherwise) {
  SetConfig("threads = 1\n[sampling]\nmax-tokens = 3\n");
  const auto tokens = [this](Arguments more) {
    Arguments arguments = {"generate", "--no-state", "Once"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Facts(arguments);
  };
  const auto facts = tokens({"--ignore-end", "-v"});
  EXPECT_EQ(facts["tokens_generated"], 3);
  EXPECT_THAT(facts["notes"].dump(), HasSubstr("1 threads"));
  EXPECT_EQ(tokens({"--ignore-end", "--max-tokens", "2"})["tokens_generated"], 2);
}

TEST_F(SettingsFile, TheModelOfTheFileIsForWhatNothingElseDecides) {
  SetConfig("model = \"" + Path("no-such-model") + "\"\n");
  const std::string line = ExpectFailure({"generate", "--no-state", "Once"}, 3);
  EXPECT_THAT(line, HasSubstr("no-such-model"));
  EXPECT_EQ(Facts({"generate", "--no-state", "Once", "--model", "demo", "--max-tokens",
                   "1"})["tokens_generated"],
            1);
}

TEST_F(SettingsFile, TheRemoteOfTheFileIsTakenWhereNoneIsNamed) {
  Facts({"ingest", "roof", Write("roof.md", "The roof leaks.\n")});
  std::filesystem::create_directory(Path("share"));
  Facts({"remote", "add", "share", Path("share")});
  EXPECT_THAT(ExpectFailure({"ls-remote"}, 2), HasSubstr("config set remote"));
  SetConfig("remote = \"share\"\n");
  EXPECT_EQ(Facts({"push", "roof", "--no-sign"})["versions"].size(), 1u);
  EXPECT_EQ(Facts({"push", "share", "roof", "--no-sign"})["versions"].size(), 1u);
  EXPECT_EQ(Facts({"ls-remote"})["versions"].size(), 1u);
}

TEST_F(SettingsFile, ColoursAreAlwaysOrNeverUnlessTheEnvironmentForbidsThem) {
  Facts({"ingest", "roof", Write("roof.md", "The roof leaks.\n")});
  SetConfig("colour = \"always\"\n");
  EXPECT_THAT(Run({"list"}).out, HasSubstr("\x1b[1mroof"));
  ProcessOptions options;
  options.environment["NO_COLOR"] = "1";
  EXPECT_THAT(Run({"list"}, options).out, Not(HasSubstr("\x1b")));
}

TEST_F(SettingsFile, ABrokenFileStopsWhatNeedsItAndNothingElse) {
  SetConfig("colur = 1\n");
  const std::string line = ExpectFailure({"list"}, 2);
  EXPECT_THAT(line, HasSubstr("config.toml:1: there is no setting 'colur'"));
  EXPECT_THAT(line, EndsWith("correct the line or remove it\n"));
  for (const Arguments& arguments : {Arguments{"help"}, Arguments{"version"},
                                     Arguments{"completion", "bash"}, Arguments{"list", "--help"}})
    EXPECT_EQ(Run(arguments).exit_code, 0) << testing::PrintToString(arguments);
}

}  // namespace
}  // namespace statelib::cli
