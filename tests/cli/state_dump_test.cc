// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

using ::testing::HasSubstr;

class StateDump : public LibraryTest {
 protected:
  void SetUp() override {
    id_ = Facts({"ingest", "roof", Write("roof.md", "The roof has three leaks.\n")})["state"]["id"];
  }
  std::string Dump(const std::string& name = "roof") {
    const std::string path = Path(name + ".safetensors");
    Facts({"state", "dump", name, "-o", path});
    return path;
  }
  /// A dump of roof whose last number is another one.
  std::string Edited() {
    std::string content = Read(Dump());
    content[content.size() - 1] = content[content.size() - 1] == '\x3f' ? '\x3e' : '\x3f';
    return Write("edited.safetensors", content);
  }

  std::string id_;
};

TEST_F(StateDump, UnchangedItLoadsToTheSameId) {
  const auto facts = Facts({"state", "load", Dump(), "--as", "copy"});
  EXPECT_EQ(facts["state"]["id"], id_);
  EXPECT_EQ(facts["edited"], false);
  EXPECT_EQ(facts["state"]["edited"], false);
  EXPECT_EQ(Facts({"show", "copy"})["id"], id_);
  EXPECT_THAT(Run({"log", "copy"}).out, HasSubstr("roof@1"));
  EXPECT_EQ(Run({"generate", "copy", "--max-tokens", "4", "-q"}).out,
            Run({"generate", "roof", "--max-tokens", "4", "-q"}).out);
}

TEST_F(StateDump, GoesThroughPipes) {
  const ProcessResult dump = Run({"state", "dump", "roof", "-o", "-"});
  EXPECT_EQ(dump.exit_code, 0);
  EXPECT_EQ(dump.out, Read(Dump()));
  EXPECT_THAT(dump.err, HasSubstr("standard output: "));
  ProcessOptions options;
  options.input = dump.out;
  EXPECT_EQ(Facts({"state", "load", "-", "--as", "piped"}, options)["state"]["id"], id_);
}

TEST_F(StateDump, OtherNumbersLoadOnlyByEdited) {
  const std::string edited = Edited();
  EXPECT_THAT(ExpectFailure({"state", "load", edited, "--as", "new"}, 5), HasSubstr("--edited"));
  const auto facts = Facts({"state", "load", edited, "--as", "new", "--edited"});
  EXPECT_EQ(facts["edited"], true);
  EXPECT_EQ(facts["edited_from"], id_);
  EXPECT_EQ(facts["state"]["tokens"], 0);
  EXPECT_EQ(Facts({"show", "new"})["edited"], true);
  EXPECT_EQ(Facts({"show", "new"})["lineage"][0]["operation"], "edit");
  EXPECT_THAT(Run({"show", "new"}).out, HasSubstr("by hand"));
  EXPECT_EQ(Run({"generate", "new", "--max-tokens", "2"}).exit_code, 0);
  EXPECT_THAT(ExpectFailure({"verify", "--rederive", "new"}, 2), HasSubstr("were edited"));
  EXPECT_THAT(ExpectFailure({"cat", "new"}, 2), HasSubstr("were edited"));
  ExpectSound();
}

TEST_F(StateDump, AnEditedStateTravels) {
  Facts({"state", "load", Edited(), "--as", "new", "--edited"});
  const std::string id = Facts({"show", "new"})["id"];
  std::filesystem::create_directory(Path("share"));
  ASSERT_EQ(Run({"push", Path("share"), "new"}).exit_code, 0);
  Facts({"pull", Path("share"), "new", "--allow-unsigned", "--library", Path("other")});
  const auto there = Facts({"show", "new", "--library", Path("other")});
  EXPECT_EQ(there["id"], id);
  EXPECT_EQ(there["edited"], true);
}

TEST_F(StateDump, AnotherModelsNumbersAreRefused) {
  const std::string other = Path("other-model");
  std::filesystem::copy(std::filesystem::path(STATELIB_SOURCE_DIR) / "examples/models/demo", other);
  std::ofstream(std::filesystem::path(other) / "config.json", std::ios::app) << " ";
  EXPECT_THAT(
      ExpectFailure({"state", "load", Edited(), "--as", "new", "--edited", "--model", other}, 5),
      HasSubstr("needs the model"));
}

TEST_F(StateDump, WhatIsNoDumpIsOneLine) {
  ExpectFailure({"state", "load", Write("text", "no safetensors"), "--as", "new"}, 4);
  ExpectFailure({"state", "load", Path("none"), "--as", "new"}, 3);
  ExpectFailure({"state", "load", Path(""), "--as", "new"}, 2);
  ExpectFailure({"state", "dump", "none", "-o", Path("x")}, 3);
  EXPECT_FALSE(std::filesystem::exists(Path("x")));
}

}  // namespace
}  // namespace statelib::cli
