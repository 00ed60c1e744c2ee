// SPDX-License-Identifier: Apache-2.0
// The program with an index that is lost: every command says so and changes nothing, and repair
// brings back what the library knew.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/cli/library_fixture.h"
#include "tests/statestore/file_tree.h"

namespace statelib::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

class RepairCommand : public LibraryTest {
 protected:
  void SetUp() override {
    Ingest("report", "The roof leaks, and the gate is open.");
    Ingest("report", "The roof was mended, and the gate is open.");
    Facts({"append", "report", Write("more.txt", " Somebody will look at the weathercock."),
           "--threads", "1"});
    Facts({"undo", "report"});
    Facts({"tag", "report@1", "first"});
    Facts({"cp", "report", "copy:v1"});
    Facts({"checkout", "copy:v1@1"});
    Ingest("old", "An umbrella stands in the hall.");
    Facts({"mv", "old", "moved:v2"});
    Ingest("secret", "A password that nobody shall know.");
    Facts({"rm", "secret"});
    Facts({"key", "create", "me"});
    Facts({"export", "moved:v2", "-o", Path("shelf.statelib")});
    Facts({"rm", "moved:v2"});
    Facts({"import", Path("shelf.statelib")});
    Facts({"model", "default", "demo"});
    Facts({"checkpoint", "budget", "1000000"});
  }
  void Ingest(const std::string& name, const std::string& text) {
    Facts({"ingest", name, Write(name + ".txt", text), "--threads", "1"});
  }
  /// All that commands tell of the library.
  std::vector<nlohmann::json> Story() {
    std::vector<nlohmann::json> story;
    for (const Arguments& command : {Arguments{"list"},
                                     {"log", "report"},
                                     {"log", "copy:v1"},
                                     {"log", "moved:v2"},
                                     {"show", "report"},
                                     {"show", "report:first"},
                                     {"show", "copy:v1"},
                                     {"show", "moved:v2"},
                                     {"status", "report"},
                                     {"search", "gate"},
                                     {"search", "weathercock", "--all-versions"},
                                     {"search", "umbrella"},
                                     {"search", "password"},
                                     {"model", "list"},
                                     {"checkpoint", "budget"}}) {
      story.push_back(Facts(command));
    }
    return story;
  }
  fs::path Index() { return fs::path(Library()) / "index.db"; }
};

TEST_F(RepairCommand, EveryCommandSaysThatTheIndexIsLostAndChangesNothing) {
  const std::string text = Write("new.txt", "New.");
  const std::vector<std::function<void()>> damages = {[&] { fs::resize_file(Index(), 0); },
                                                      [&] { fs::remove(Index()); }};
  for (const auto& damage : damages) {
    damage();
    const FileTree before = TreeOf(Library());
    for (const Arguments& command : {Arguments{"verify"},
                                     {"gc"},
                                     {"list"},
                                     {"ingest", "new", text},
                                     {"show", "report"},
                                     {"rm", "report"},
                                     {"export", "report", "-o", Path("x")},
                                     {"model", "list"}}) {
      EXPECT_THAT(ExpectFailure(command, 4), HasSubstr("statelib repair"));
    }
    EXPECT_EQ(DifferenceOf(before, TreeOf(Library())), "");
  }
}

TEST_F(RepairCommand, BringsBackNamesVersionsMovesLineageModelsSettingsAndSearch) {
  Facts({"gc", "--grace", "0"});
  const std::vector<nlohmann::json> before = Story();
  for (const bool is_empty : {false, true}) {
    if (is_empty)
      std::ofstream(Index()) << "";
    else
      fs::remove(Index());
    const nlohmann::json report = Facts({"repair"});
    EXPECT_EQ(report["rebuilt"], true);
    EXPECT_THAT(report["lost"], IsEmpty());
    EXPECT_GT(report["texts_restored"], 0);
    EXPECT_EQ(report["texts_missing"], 0);
    ExpectSound();
    EXPECT_EQ(nlohmann::json::diff(before, Story()).dump(), "[]");
  }
  // What can be undone still can.
  EXPECT_EQ(Facts({"undo", "report"})["reference"]["version"], 1);
}

TEST_F(RepairCommand, ASecondRunFindsNothingWrongAndChangesNothing) {
  fs::remove(Index());
  Facts({"repair"});
  const FileTree once = TreeOf(Library());
  const ProcessResult again = Run({"repair"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.out, "nothing is wrong with the index\n");
  EXPECT_EQ(DifferenceOf(once, TreeOf(Library())), "");
}

TEST_F(RepairCommand, WithoutTheModelItSaysThatSearchIsMissing) {
  const fs::path elsewhere = Path("model");
  fs::copy(fs::path(STATELIB_SOURCE_DIR) / "examples" / "models" / "demo", elsewhere);
  Facts({"model", "add", elsewhere.string(), "--name", "mine"});
  fs::remove(Index());
  fs::rename(elsewhere, Path("away"));
  const nlohmann::json report = Facts({"repair"});
  EXPECT_EQ(report["texts_restored"], 0);
  EXPECT_GT(report["texts_missing"], 0);
  EXPECT_THAT(report["texts_missing_because"][0].get<std::string>(), HasSubstr("model add"));
  fs::rename(Path("away"), elsewhere);
  EXPECT_GT(Facts({"repair"})["texts_restored"], 0);
  EXPECT_EQ(Facts({"search", "mended"})["passages"].size(), 1u);
}

TEST_F(RepairCommand, WhatIsLostIsSaidAndHasItsExitCode) {
  const std::string id = Facts({"show", "report@1"})["id"];
  fs::remove(fs::path(Library()) / "objects" / id.substr(0, 2) / id);
  fs::remove(Index());
  const ProcessResult result = Run({"repair"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.out, HasSubstr("report:latest@1"));
  EXPECT_THAT(result.err, HasSubstr("could not be brought back"));
  ExpectSound();
}

}  // namespace
}  // namespace statelib::cli
