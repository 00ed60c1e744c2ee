// SPDX-License-Identifier: Apache-2.0
// Versions, proofs and pages of the list on the command line.
#include <gmock/gmock.h>

#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

using ::testing::HasSubstr;

class HistoryCommands : public LibraryTest {
 protected:
  void SetUp() override {
    roof_ = Write("roof.md", "The roof has three leaks. Tomas Lorter is responsible for it.\n");
    gate_ = Write("gate.md", "The door of the south gate is painted red.\n");
    Facts({"ingest", "a", roof_});
    Facts({"append", "a", gate_});
  }

  std::string roof_;
  std::string gate_;
};

TEST_F(HistoryCommands, CheckoutUndoAndMomentsMoveTheName) {
  const std::string first = Facts({"show", "a@1"})["id"];
  EXPECT_EQ(Facts({"show", "a@{now}"})["names"][0], "a:latest@2");
  EXPECT_THAT(Run({"checkout", "a@1"}).out, HasSubstr("a@1: state"));
  EXPECT_EQ(Facts({"show", "a"})["id"], first);
  EXPECT_EQ(Facts({"undo", "a"})["reference"]["version"], 2);
  EXPECT_EQ(Facts({"restore", "a@1"})["before"]["version"], 2);
  EXPECT_THAT(ExpectFailure({"checkout", "a"}, 2), HasSubstr("say which version"));
  EXPECT_THAT(ExpectFailure({"show", "a@{yesterday}"}, 3), HasSubstr("there was no a at"));
  EXPECT_THAT(Run({"log", "a", "--sources"}).out, HasSubstr("gate.md ("));
}

TEST_F(HistoryCommands, BranchForksAndRefusesANameThatIsThere) {
  EXPECT_EQ(Facts({"branch", "a@1", "b"})["reference"]["version"], 1);
  EXPECT_THAT(ExpectFailure({"branch", "a", "b"}, 2), HasSubstr("exists already"));
}

TEST_F(HistoryCommands, AtGivesTheStateAfterTheFirstTokens) {
  const auto facts = Facts({"at", "a", "--token", "5", "--save-as", "cut"});
  EXPECT_EQ(facts["tokens"], 5);
  EXPECT_EQ(Facts({"show", "cut"})["tokens"], 5);
  EXPECT_THAT(facts["text_after"].get<std::string>(), HasSubstr("Lorter"));
  EXPECT_THAT(Run({"at", "a", "--token", "5"}).out, HasSubstr("5 of"));
  EXPECT_THAT(ExpectFailure({"at", "a", "--token", "9999"}, 2), HasSubstr("expected 1 to"));
}

TEST_F(HistoryCommands, StatusSaysWhatChanged) {
  EXPECT_EQ(Facts({"status", "a"})["up_to_date"], true);
  Write("gate.md", "The door is painted blue.\n");
  const ProcessResult changed = Run({"status", "a", "--json"});
  EXPECT_EQ(changed.exit_code, 1);
  EXPECT_EQ(changed.err, "");
  const auto facts = nlohmann::json::parse(changed.out);
  EXPECT_EQ(facts["up_to_date"], false);
  EXPECT_EQ(facts["sources"][0]["status"], "unchanged");
  EXPECT_EQ(facts["sources"][1]["status"], "changed");
  EXPECT_EQ(facts["sources"][1]["path"], gate_);
  EXPECT_THAT(Run({"status", "a"}).out, HasSubstr("1 document not as read"));
  EXPECT_EQ(Facts({"status", "a@1"})["up_to_date"], true);
}

TEST_F(HistoryCommands, StatusFollowsADocumentThatMovedAndMissesOneThatIsGone) {
  std::filesystem::create_directory(Path("old"));
  std::filesystem::rename(gate_, Path("old/door.md"));
  const auto facts = Facts({"status", "a"});
  EXPECT_EQ(facts["up_to_date"], true);
  EXPECT_EQ(facts["sources"][1]["status"], "moved");
  EXPECT_EQ(facts["sources"][1]["path_now"], Path("old/door.md"));
  EXPECT_THAT(Run({"status", "a"}).out, HasSubstr(gate_ + " -> " + Path("old/door.md")));
  Write("old/door.md", "The door of the south gate is painted RED.\n");  // as long as before
  EXPECT_EQ(Run({"status", "a"}).exit_code, 1);
  std::filesystem::remove(Path("old/door.md"));
  const ProcessResult gone = Run({"status", "a"});
  EXPECT_EQ(gone.exit_code, 1);
  EXPECT_THAT(gone.out, HasSubstr("missing"));
  EXPECT_THAT(Run({"--help"}).out, HasSubstr("documents are not as they were read"));
}

TEST_F(HistoryCommands, TheParentInTheLogIsTheVersionThatItWasMadeFrom) {
  // The state of a@1 has other names, one of them earlier in the alphabet.
  Facts({"cp", "a@1", "A"});
  Facts({"append", "A", gate_, "--as", "b"});
  Facts({"cp", "b", "c"});
  EXPECT_EQ(Facts({"log", "a"})["versions"][0]["made_from"], "a@1");
  EXPECT_EQ(Facts({"log", "A"})["versions"][0]["made_from"], "a@1");
  EXPECT_EQ(Facts({"log", "b"})["versions"][0]["made_from"], "A@1");
  Facts({"mv", "A", "z"});
  EXPECT_EQ(Facts({"log", "b"})["versions"][0]["made_from"], "z@1");
  Facts({"rm", "z"});
  Facts({"gc", "--grace", "0"});
  EXPECT_EQ(Facts({"log", "b"})["versions"][0]["made_from"], "A@1");  // as it was called then
  EXPECT_EQ(Facts({"log", "a"})["versions"][1]["made_from"], nullptr);
  EXPECT_THAT(Run({"log", "c"}).out, HasSubstr(" b@1 "));
}

TEST_F(HistoryCommands, TheParentOfAnImportIsWhatItWasWhereItCameFrom) {
  const std::string bundle = Path("a.statelib");
  Facts({"export", "a", "-o", bundle});
  ProcessOptions elsewhere;
  elsewhere.environment = {{"STATELIB_HOME", Path("elsewhere")}};
  Facts({"ingest", "b", roof_}, elsewhere);  // the same state as a@1 there
  Facts({"import", bundle, "--allow-unsigned"}, elsewhere);
  const auto version = Facts({"log", "a"}, elsewhere)["versions"][0];
  EXPECT_EQ(version["made_from"], "a@2");
  EXPECT_EQ(version["made_elsewhere"], true);
  EXPECT_THAT(Run({"log", "a"}, elsewhere).out, HasSubstr("a@2 there"));
}

TEST_F(HistoryCommands, RederivingProvesAndShowSaysSo) {
  EXPECT_THAT(Run({"show", "a"}).out, HasSubstr("never; `statelib verify --rederive"));
  const auto facts = Facts({"verify", "--rederive", "a"});
  EXPECT_EQ(facts["equal_bytes"], true);
  EXPECT_EQ(facts["proved_on_the_way"], 1);
  EXPECT_EQ(Facts({"show", "a"})["proofs"].size(), 1u);
  EXPECT_THAT(Run({"verify", "--rederive", "a"}).out, HasSubstr("every byte is equal"));
  EXPECT_THAT(Run({"show", "a"}).out, HasSubstr(", from the proved state of"));
}

TEST_F(HistoryCommands, TheListComesInPagesAndUnderConditions) {
  for (const char* name : {"b", "c:draft", "d"}) Facts({"cp", "a@1", name});
  auto page = Facts({"list", "--limit", "2"});
  EXPECT_EQ(page["states"].size(), 2u);
  EXPECT_EQ(page["next"], "b:latest");
  EXPECT_EQ(Run({"list", "--quiet", "--limit", "2", "--after", "b:latest"}).out, "c:draft\nd\n");
  EXPECT_EQ(Run({"list", "--quiet", "--where", "tag=draft"}).out, "c:draft\n");
  EXPECT_EQ(Run({"list", "--quiet", "--where", "source=*gate.md"}).out, "a\n");
  EXPECT_EQ(Run({"list", "--quiet", "--where", "source=*roof.md", "--where", "age<1h"}).out,
            "a\nb\nc:draft\nd\n");
  EXPECT_EQ(Run({"list", "--quiet", "--where", "age>1h"}).out, "");
  EXPECT_EQ(Run({"list", "--quiet", "--where", "model=demo", "--where", "size>1kB"}).out,
            "a\nb\nc:draft\nd\n");
  const uint64_t tokens = Facts({"show", "a"})["tokens"];
  EXPECT_EQ(Run({"list", "--quiet", "--where", "tokens>=" + std::to_string(tokens)}).out, "a\n");
  for (const char* wrong : {"colour=red", "age", "age<soon", "size>>1", "tokens<x", "model<demo"})
    EXPECT_THAT(ExpectFailure({"list", "--where", wrong}, 2), testing::Not(testing::IsEmpty()));
  EXPECT_THAT(ExpectFailure({"list", "--where", "model=nobody"}, 3), HasSubstr("nobody"));
}

}  // namespace
}  // namespace statelib::cli
