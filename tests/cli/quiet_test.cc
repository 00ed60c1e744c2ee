// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

using ::testing::HasSubstr;

class Quiet : public LibraryTest {
 protected:
  void SetUp() override {
    roof_ = Write("roof.md", "The roof has three leaks.\n");
    gate_ = Write("gate.md", "The south gate is painted red.\n");
  }

  /// What a command prints with --quiet; it must succeed and say nothing on standard error.
  std::string Out(Arguments arguments) {
    arguments.push_back("--quiet");
    const ProcessResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, 0) << testing::PrintToString(arguments) << result.err;
    EXPECT_EQ(result.err, "") << testing::PrintToString(arguments);
    return result.out;
  }

  std::string roof_;
  std::string gate_;
};

TEST_F(Quiet, ACommandThatMakesAStatePrintsItsNameAlone) {
  EXPECT_EQ(Out({"ingest", "roof", roof_}), "roof@1\n");
  EXPECT_EQ(Out({"append", "roof", gate_}), "roof@2\n");
  EXPECT_EQ(Out({"cp", "roof", "copy"}), "copy@1\n");
  EXPECT_EQ(Out({"tag", "roof", "reviewed"}), "roof:reviewed@1\n");
  EXPECT_EQ(Out({"checkout", "roof@1"}), "roof@1\n");
  EXPECT_EQ(Out({"undo", "roof"}), "roof@2\n");
  EXPECT_EQ(Out({"mv", "copy", "other"}), "other\n");
  EXPECT_EQ(Out({"rm", "other"}), "other\n");
}

TEST_F(Quiet, AListingPrintsNamesAlone) {
  Facts({"ingest", "roof", roof_});
  const std::string id = Facts({"append", "roof", gate_})["state"]["id"];
  Facts({"ingest", "gate:draft", gate_});
  EXPECT_EQ(Out({"list"}), "gate:draft\nroof\n");
  EXPECT_EQ(Out({"log", "roof"}), "roof@2\nroof@1\n");
  EXPECT_EQ(Out({"show", "roof"}), id + "\n");
  EXPECT_EQ(Out({"model", "list"}), "demo\n");
  EXPECT_EQ(Out({"search", "leaks"}), "roof@2\n");
  EXPECT_EQ(Out({"search", "leaks", "--all-versions"}), "roof@2\nroof@1\n");
}

TEST_F(Quiet, AnAnswerIsPrintedAlone) {
  Facts({"ingest", "roof", roof_});
  const auto facts = Facts({"generate", "roof", "--max-tokens", "4"});
  EXPECT_EQ(Out({"generate", "roof", "--max-tokens", "4"}),
            facts["text"].get<std::string>() + "\n");
}

TEST_F(Quiet, EachPrintsNamesAndAFileThatFailsIsStillToldOnStandardError) {
  const std::string text = Write("folder/a.md", "Some words.\n");
  EXPECT_EQ(Out({"ingest", "notes", Path("folder"), "--each"}), "notes/a@1\n");
  Write("folder/b.docx", "PK\x03\x04 cut short");
  const ProcessResult result = Run({"ingest", "notes", Path("folder"), "--each", "--quiet"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_EQ(result.out, "notes/a@1\n");
  EXPECT_THAT(result.err, HasSubstr("b.docx"));
}

TEST_F(Quiet, AnErrorIsToldAllTheSame) {
  Facts({"ingest", "roof", roof_});
  const std::string loud = Run({"show", "missing"}).err;
  EXPECT_EQ(ExpectFailure({"show", "missing", "-q"}, 3), loud);
}

TEST_F(Quiet, ATerminalSeesNoProgress) {
  ProcessOptions options;
  options.terminal = true;
  EXPECT_EQ(Run({"ingest", "roof", roof_, "-q"}, options).out, "roof@1\r\n");
}

TEST_F(Quiet, JsonStaysTheSame) {
  Facts({"ingest", "roof", roof_});
  EXPECT_EQ(Out({"list", "--json"}), Run({"list", "--json"}).out);
}

}  // namespace
}  // namespace statelib::cli
