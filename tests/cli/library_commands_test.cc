// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kRoof =
    "The roof has three leaks. Tomas Lorter is responsible for the roof.\n";
constexpr const char* kGate = "The door of the south gate is painted red.\n";

class LibraryCommands : public LibraryTest {
 protected:
  void SetUp() override {
    roof_ = Write("roof.md", kRoof);
    gate_ = Write("gate.md", kGate);
  }

  std::string roof_;
  std::string gate_;
};

TEST_F(LibraryCommands, IngestSaysWhatWasReadAndStored) {
  const auto facts = Facts({"ingest", "roof", roof_});
  EXPECT_EQ(facts["reference"]["name"], "roof");
  EXPECT_EQ(facts["reference"]["tag"], "latest");
  EXPECT_EQ(facts["reference"]["version"], 1);
  EXPECT_GT(facts["tokens_read"], 10);
  EXPECT_EQ(facts["tokens_restored"], 0);
  EXPECT_EQ(facts["state"]["tokens"], facts["tokens_read"]);
  EXPECT_EQ(facts["sources"][0]["name"], roof_);
  EXPECT_EQ(facts["sources"][0]["bytes"], std::string(kRoof).size());
  EXPECT_EQ(facts["state"]["id"].get<std::string>().size(), 64u);
}

TEST_F(LibraryCommands, IngestOfTheSameTokensReadsNothingAgain) {
  const auto first = Facts({"ingest", "roof", roof_});
  const auto second = Facts({"ingest", "other", roof_});
  EXPECT_EQ(second["tokens_read"], 0);
  EXPECT_EQ(second["state"]["id"], first["state"]["id"]);
  EXPECT_EQ(Facts({"ingest", "roof", roof_})["version_before"], true);
}

TEST_F(LibraryCommands, IngestFromAPipeEqualsIngestOfTheFile) {
  ProcessOptions options;
  options.input = kRoof;
  EXPECT_EQ(Facts({"ingest", "piped", "-"}, options)["state"]["id"],
            Facts({"ingest", "file", roof_})["state"]["id"]);
}

TEST_F(LibraryCommands, ThreadsAndBackendsGiveTheSameState) {
  const auto best = Facts({"ingest", "a", roof_})["state"];
  const std::string other = Path("other-library");
  for (const Arguments& how : {Arguments{"--threads", "1"}, Arguments{"--backend", "reference"}}) {
    Arguments arguments = {"ingest", "a", roof_, "--library", other + how[1]};
    arguments.insert(arguments.end(), how.begin(), how.end());
    const auto facts = Facts(arguments);
    EXPECT_GT(facts["tokens_read"], 0);
    EXPECT_EQ(facts["state"]["id"], best["id"]) << how[1];
  }
}

TEST_F(LibraryCommands, AMissingGpuIsOneLineAndNoBug) {
  const auto result = Run({"ingest", "a", roof_, "--backend", "cuda"});
  if (result.exit_code == 0) return;  // there is one
  EXPECT_EQ(result.exit_code, 8);
  EXPECT_THAT(result.err, testing::StartsWith("statelib: [cuda] "));
  EXPECT_THAT(result.err, testing::Not(testing::HasSubstr("bug")));
}

TEST_F(LibraryCommands, IngestThenAppendEqualsIngestOfBothFiles) {
  Facts({"ingest", "both", roof_, gate_});
  Facts({"ingest", "grown", roof_});
  const auto grown = Facts({"append", "grown", gate_});
  EXPECT_EQ(grown["reference"]["version"], 2);
  EXPECT_EQ(grown["state"]["history"], Facts({"show", "both"})["history"]);
  EXPECT_EQ(grown["state"]["id"], Facts({"show", "both"})["id"]);
}

TEST_F(LibraryCommands, AppendKeepsTheOlderVersionAndItsLineage) {
  const std::string first = Facts({"ingest", "roof", roof_})["state"]["id"];
  Facts({"append", "roof", gate_});
  const auto log = Facts({"log", "roof"});
  ASSERT_EQ(log["versions"].size(), 2u);
  EXPECT_EQ(log["versions"][0]["version"], 2);
  EXPECT_EQ(log["versions"][0]["current"], true);
  EXPECT_EQ(log["versions"][0]["operation"], "append");
  EXPECT_EQ(log["versions"][0]["parent"], first);
  EXPECT_EQ(log["versions"][1]["operation"], "ingest");
  EXPECT_EQ(Facts({"show", "roof@1"})["id"], first);
  EXPECT_THAT(Run({"log", "roof"}).out, HasSubstr("roof@1"));
}

TEST_F(LibraryCommands, AppendToAnIdNeedsAName) {
  const std::string id = Facts({"ingest", "roof", roof_})["state"]["id"];
  EXPECT_THAT(ExpectFailure({"append", id.substr(0, 12), gate_}, 2), HasSubstr("--as"));
  EXPECT_EQ(Facts({"append", id.substr(0, 12), gate_, "--as", "grown"})["reference"]["name"],
            "grown");
}

TEST_F(LibraryCommands, ListFindsSortsAndPrintsNames) {
  Facts({"ingest", "b", roof_, gate_});
  Facts({"ingest", "a", gate_});
  Facts({"ingest", "a:draft", roof_});
  EXPECT_THAT(Names(), ElementsAre("a:draft", "a:latest", "b:latest"));
  EXPECT_EQ(Run({"list", "--quiet"}).out, "a:draft\na\nb\n");
  EXPECT_EQ(Run({"list", "--quiet", "--reverse"}).out, "b\na\na:draft\n");
  EXPECT_EQ(Run({"list", "a*", "--quiet"}).out, "a:draft\na\n");
  EXPECT_EQ(Run({"list", "*:draft", "--quiet"}).out, "a:draft\n");
  EXPECT_EQ(Run({"list", "--quiet", "--sort", "tokens"}).out.substr(0, 2), "b\n");
  EXPECT_THAT(Run({"list"}).out, HasSubstr("demo"));
  EXPECT_EQ(Run({"list", "nothing*"}).out, "");
  EXPECT_EQ(Facts({"list", "nothing*"})["states"].size(), 0u);
}

TEST_F(LibraryCommands, ShowKnowsLineageSegmentsAndFiles) {
  Facts({"ingest", "roof", roof_});
  Facts({"append", "roof", gate_});
  const auto facts = Facts({"show", "roof"});
  ASSERT_EQ(facts["lineage"].size(), 2u);
  EXPECT_EQ(facts["lineage"][0]["operation"], "append");
  EXPECT_EQ(facts["lineage"][1]["sources"][0]["name"], roof_);
  EXPECT_EQ(facts["names"][0], "roof:latest@2");
  EXPECT_GT(facts["segments"].size(), 3u);
  EXPECT_TRUE(std::filesystem::exists(facts["object_path"].get<std::string>()));
  const std::string text = Run({"show", "roof", "--segments"}).out;
  EXPECT_THAT(text, HasSubstr(facts["id"].get<std::string>()));
  EXPECT_THAT(text, HasSubstr("hidden"));
  EXPECT_THAT(text, HasSubstr("gate.md"));
}

TEST_F(LibraryCommands, DiffFindsWhereHistoriesPart) {
  const std::string red = Write("red", "The door of the map room is painted red today.");
  const std::string blue = Write("blue", "The door of the map room is painted blue today.");
  Facts({"ingest", "red", red});
  Facts({"ingest", "blue", blue});
  const auto facts = Facts({"diff", "red", "blue"});
  EXPECT_EQ(facts["same_model"], true);
  EXPECT_EQ(facts["history"]["equal"], false);
  EXPECT_GT(facts["history"]["common_tokens"], 5);
  EXPECT_THAT(facts["history"]["after_text_a"].get<std::string>(), HasSubstr("red"));
  EXPECT_THAT(facts["history"]["after_text_b"].get<std::string>(), HasSubstr("blue"));
  double last = 1e300;
  for (const auto& segment : facts["segments"]) {
    EXPECT_LE(segment["relative_l2"].get<double>(), last);
    last = segment["relative_l2"];
    EXPECT_LE(std::abs(segment["cosine"].get<double>()), 1.0 + 1e-9);
  }
  EXPECT_THAT(Run({"diff", "red", "blue"}).out, Not(HasSubstr("█")));
  ProcessOptions terminal;
  terminal.terminal = true;
  EXPECT_THAT(Run({"diff", "red", "blue"}, terminal).out, HasSubstr("█"));
}

TEST_F(LibraryCommands, DiffOfAStateWithItselfIsNothing) {
  Facts({"ingest", "roof", roof_});
  const auto facts = Facts({"diff", "roof", "roof"});
  EXPECT_EQ(facts["equal_content"], true);
  EXPECT_EQ(facts["history"]["equal"], true);
  EXPECT_THAT(Run({"diff", "roof", "roof"}).out, HasSubstr("every byte of them is equal"));
}

TEST_F(LibraryCommands, DiffShowsNoControlCharactersOfADocument) {
  Facts({"ingest", "evil", Write("evil", "The door is \x1b[31mred\x1b[0m.")});
  Facts({"ingest", "good", Write("good", "The door is blue.")});
  ProcessOptions terminal;
  terminal.terminal = true;
  terminal.environment["NO_COLOR"] = "1";
  const std::string text = Run({"diff", "evil", "good"}, terminal).out;
  EXPECT_THAT(text, Not(HasSubstr("\x1b[31m")));
  EXPECT_THAT(text, HasSubstr("\\x1b"));
}

TEST_F(LibraryCommands, ForgottenTokensAreNotKept) {
  Facts({"ingest", "roof", roof_, "--forget-tokens"});
  EXPECT_EQ(Facts({"show", "roof"})["tokens_kept"], false);
  EXPECT_EQ(Facts({"show", "roof"})["token_chunks"], 0);
}

TEST_F(LibraryCommands, TagCpAndMvMoveNamesAndNotStates) {
  const std::string id = Facts({"ingest", "roof", roof_})["state"]["id"];
  EXPECT_EQ(Facts({"tag", "roof", "reviewed"})["state"]["id"], id);
  EXPECT_EQ(Facts({"cp", "roof", "house/roof"})["state"]["id"], id);
  EXPECT_EQ(Facts({"cp", id.substr(0, 10), "by-id"})["state"]["id"], id);
  Facts({"mv", "house/roof", "attic"});
  EXPECT_THAT(Names(), ElementsAre("attic:latest", "by-id:latest", "roof:latest", "roof:reviewed"));
  EXPECT_EQ(Facts({"show", "attic"})["id"], id);
  ExpectFailure({"mv", "attic", "by-id"}, 2);
  ExpectFailure({"tag", "roof", "a/b"}, 2);
}

TEST_F(LibraryCommands, RmAndGcSayFirstAndThenDo) {
  const std::string id = Facts({"ingest", "roof", roof_})["state"]["id"];
  Facts({"ingest", "gate", gate_});
  EXPECT_EQ(Facts({"rm", "roof", "--dry-run"})["removed"][0]["freed_states"][0], id);
  EXPECT_THAT(Names(), ElementsAre("gate:latest", "roof:latest"));
  Facts({"rm", "roof"});
  EXPECT_THAT(Names(), ElementsAre("gate:latest"));
  EXPECT_EQ(Facts({"show", id})["id"], id);  // until gc
  const auto waiting = Facts({"gc"});
  EXPECT_EQ(waiting["states"].size(), 0u);
  EXPECT_EQ(waiting["waiting_states"], 1);
  EXPECT_THAT(Run({"gc"}).out, HasSubstr("--grace 0 removes it too"));
  EXPECT_EQ(Facts({"gc", "--dry-run", "--grace", "0"})["states"][0]["id"], id);
  EXPECT_EQ(Facts({"gc", "--grace", "0"})["states"].size(), 1u);
  EXPECT_EQ(Facts({"gc"})["states"].size(), 0u);
  ExpectFailure({"show", id}, 3);
  EXPECT_EQ(Facts({"verify"})["states"], 1);
  ExpectSound();
}

TEST_F(LibraryCommands, RmOfOneUnknownNameRemovesNone) {
  Facts({"ingest", "roof", roof_});
  ExpectFailure({"rm", "roof", "nothing"}, 3);
  EXPECT_THAT(Names(), ElementsAre("roof:latest"));
}

TEST_F(LibraryCommands, ExportAndImportCarryStatesToAnotherLibrary) {
  const std::string id = Facts({"ingest", "roof", roof_})["state"]["id"];
  Facts({"append", "roof", gate_});
  Facts({"ingest", "gate:red", gate_});
  const std::string bundle = Path("two.statelib");
  const auto exported = Facts({"export", "roof", "gate:red", "-o", bundle});
  EXPECT_EQ(exported["file_bytes"], std::filesystem::file_size(bundle));
  const std::string other = Path("other");
  EXPECT_EQ(Facts({"import", bundle, "--library", other, "--dry-run"})["references"].size(), 2u);
  EXPECT_EQ(Facts({"list", "--library", other})["states"].size(), 0u);
  Facts({"import", bundle, "--allow-unsigned", "--library", other});
  EXPECT_EQ(Facts({"show", "roof", "--library", other})["id"], Facts({"show", "roof"})["id"]);
  const nlohmann::json lineage = Facts({"show", "roof", "--library", other})["lineage"];
  ASSERT_EQ(lineage.size(), 3u);
  EXPECT_EQ(lineage[0]["operation"], "import");
  EXPECT_EQ(lineage[1]["operation"], "append");
  EXPECT_EQ(lineage[2]["operation"], "ingest");
  const auto again = Facts({"import", bundle, "--allow-unsigned", "--library", other});
  EXPECT_EQ(again["objects_added"], 0);
  EXPECT_EQ(again["references"][0]["version_before"], true);
  EXPECT_EQ(Facts({"verify", "--library", other})["sound"], true);
  // And generation goes on there, from the state alone.
  EXPECT_EQ(Facts({"generate", "roof", " The", "--max-tokens", "3", "--library", other})["text"],
            Facts({"generate", "roof", " The", "--max-tokens", "3"})["text"]);
}

TEST_F(LibraryCommands, ModelsAreAddedListedChosenAndForgotten) {
  const std::string demo = std::string(STATELIB_SOURCE_DIR) + "/examples/models/demo";
  const auto added = Facts({"model", "add", demo, "--name", "small"});
  EXPECT_EQ(added["name"], "small");
  EXPECT_EQ(added["present"], true);
  EXPECT_EQ(Facts({"model", "default", "small"})["default"], true);
  EXPECT_EQ(Facts({"model", "list"})["models"].size(), 1u);
  EXPECT_EQ(Facts({"model", "show", "small"})["fingerprint"], added["fingerprint"]);
  Facts({"ingest", "roof", roof_, "--model", "small"});
  EXPECT_EQ(Facts({"model", "show", "small"})["states"], 1);
  EXPECT_EQ(Facts({"model", "rm", "small"})["removed"], false);
  ExpectFailure({"model", "show", "nothing"}, 3);
  EXPECT_THAT(ExpectFailure({"model", "add", Path("nowhere")}, 3), HasSubstr("nowhere"));
}

TEST_F(LibraryCommands, TheEmbeddedModelAlwaysAnswersToItsName) {
  const std::string golden = std::string(STATELIB_SOURCE_DIR) + "/tests/golden/mamba";
  EXPECT_THAT(ExpectFailure({"model", "add", golden, "--name", "demo"}, 2), HasSubstr("--name"));
  EXPECT_THAT(ExpectFailure({"model", "rm", "demo"}, 2), HasSubstr("comes with statelib"));
  Facts({"ingest", "roof", roof_, "--model", "demo"});
  EXPECT_THAT(ExpectFailure({"model", "rm", "demo"}, 2), HasSubstr("comes with statelib"));
  // A default that is gone says so, and demo is still there.
  std::filesystem::copy(std::string(STATELIB_SOURCE_DIR) + "/examples/models/demo", Path("gone"));
  std::ofstream(Path("gone/tokenizer.json"), std::ios::app) << "\n";  // another model
  Facts({"model", "add", Path("gone"), "--name", "gone", "--default"});
  std::filesystem::remove_all(Path("gone"));
  const std::string error = ExpectFailure({"ingest", "gate", roof_}, 3);
  EXPECT_THAT(error, HasSubstr("default model, gone"));
  EXPECT_THAT(error, HasSubstr("`statelib model default MODEL`"));
  Facts({"ingest", "gate", roof_, "--model", "demo"});
  Facts({"generate", "roof", "--max-tokens", "1"});
  EXPECT_EQ(Facts({"model", "default", "demo"})["default"], true);
  Facts({"ingest", "door", roof_});
}

TEST_F(LibraryCommands, ModelCheckPassesOnTheDemoModelAndFailsBeyondTheTolerance) {
  const auto facts = Facts({"model", "check"});
  EXPECT_EQ(facts["passed"], true);
  EXPECT_EQ(facts["greedy_tokens_matched"], facts["greedy_tokens"]);
  const ProcessResult strict = Run({"model", "check", "--tolerance", "1e-9", "--json"});
  EXPECT_EQ(strict.exit_code, 5);
  EXPECT_EQ(nlohmann::json::parse(strict.out)["passed"], false);
  EXPECT_EQ(nlohmann::json::parse(strict.err)["error"]["kind"], "mismatch");
  for (const char* golden : {"mamba", "mamba_wide"})
    EXPECT_EQ(Facts({"model", "check",
                     std::string(STATELIB_SOURCE_DIR) + "/tests/golden/" + golden})["passed"],
              true)
        << golden;
}

TEST_F(LibraryCommands, TheLibraryIsFoundByTheEnvironmentAndByTheOption) {
  ProcessOptions options;
  options.environment = {{"STATELIB_HOME", ""}, {"XDG_DATA_HOME", Path("data")}};
  EXPECT_EQ(Run({"ingest", "roof", roof_}, options).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(Path("data/statelib/index.db")));
  options.environment = {{"STATELIB_HOME", ""}, {"XDG_DATA_HOME", ""}, {"HOME", Path("home")}};
  EXPECT_EQ(Run({"ingest", "roof", roof_}, options).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(Path("home/.local/share/statelib/index.db")));
  EXPECT_EQ(Run({"ingest", "roof", roof_, "--library", Path("named")}, options).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(Path("named/index.db")));
  options.environment["HOME"] = "";
  EXPECT_THAT(Run({"list"}, options).err, HasSubstr("--library"));
  EXPECT_THAT(Run({"tokenize", "--text", "x"}, options).err, IsEmpty());
}

TEST_F(LibraryCommands, ProgressIsShownOnATerminalOnly) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += kRoof;
  const std::string file = Write("long.md", text);
  const ProcessResult piped = Run({"ingest", "piped", file});
  EXPECT_EQ(piped.err, "");
  ProcessOptions terminal;
  terminal.terminal = true;
  const ProcessResult shown = Run({"ingest", "shown", file, "--library", Path("fresh")}, terminal);
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_THAT(shown.out, HasSubstr(" bytes"));  // of the model, which the library has not seen
  EXPECT_THAT(shown.out, HasSubstr(" tokens"));
  EXPECT_THAT(shown.out, HasSubstr("reading "));
  EXPECT_THAT(shown.out, HasSubstr("\r\x1b[K"));
}

TEST_F(LibraryCommands, RecodeStoresASmallerStateAndSaysWhatItCost) {
  const std::string probe = Write("probe.txt", "The gate is locked at nine.");
  const auto exact = Facts({"ingest", "roof", roof_});
  const auto small =
      Facts({"recode", "roof", "--codec", "int8", "--as", "roof:small", "--probe", probe});
  EXPECT_LT(small["state"]["stored_bytes"].get<int>() * 3,
            exact["state"]["stored_bytes"].get<int>());
  EXPECT_LT(small["fidelity"]["mean_kl"], 1e-3);
  EXPECT_EQ(Facts({"show", "roof:small"})["fidelity"], small["fidelity"]);
  EXPECT_THAT(Run({"show", "roof:small"}).out, HasSubstr("int8: mean KL"));
  EXPECT_THAT(Run({"generate", "roof:small", "--max-tokens", "3"}).err, HasSubstr("0 reprocessed"));
  ExpectSound();
}

TEST_F(LibraryCommands, ADeltaSaysWhatItSavesAndWorksLikeTheExactState) {
  const auto base = Facts({"ingest", "roof", roof_})["state"];
  const std::string step = Write("step.md", " The");
  const auto exact = Facts({"append", "roof", step});
  const auto delta = Facts({"recode", "roof", "--codec", "delta"});
  EXPECT_EQ(delta["delta"]["codec"], "delta");
  EXPECT_EQ(delta["delta"]["base"], base["id"]);
  EXPECT_EQ(delta["delta"]["delta_bytes"], delta["state"]["stored_bytes"]);
  EXPECT_EQ(delta["delta"]["exact_bytes"], exact["state"]["stored_bytes"]);
  EXPECT_LT(delta["delta"]["delta_bytes"], delta["delta"]["exact_bytes"]);
  EXPECT_EQ(Facts({"list"})["states"][0]["state"]["base"], base["id"]);
  EXPECT_EQ(Facts({"show", "roof"})["base"], base["id"]);
  EXPECT_EQ(Facts({"show", "roof@1"})["base"], nullptr);
  EXPECT_THAT(Run({"show", "roof", "--segments"}).out, HasSubstr(" delta "));
  EXPECT_EQ(Facts({"generate", "roof", "--max-tokens", "3"})["text"],
            Facts({"generate", "roof@2", "--max-tokens", "3"})["text"]);
  ExpectFailure({"recode", "roof", "--codec", "delta"}, 2);
  EXPECT_EQ(Facts({"undo", "roof"})["state"]["id"], exact["state"]["id"]);
  EXPECT_EQ(Facts({"checkout", "roof@3"})["state"]["id"], delta["state"]["id"]);
  ExpectSound();
}

TEST_F(LibraryCommands, ADeltaThatSavesNothingIsStoredAsExactAndSaysSo) {
  Facts({"ingest", "roof", roof_});
  EXPECT_THAT(Run({"recode", "roof", "--codec", "delta"}).out,
              HasSubstr("no stored state that it was computed from can be the base"));
  std::string far;
  for (int i = 0; i < 30; ++i) far += " The gate was painted red and the bell rang.";
  EXPECT_THAT(Run({"append", "roof", Write("far.md", far), "--codec", "delta"}).out,
              HasSubstr("which saves less than 1 %"));
  EXPECT_THAT(Run({"append", "roof", Write("step.md", " The"), "--codec", "delta"}).out,
              HasSubstr("delta: "));
  EXPECT_THAT(ExpectFailure({"recode", "roof", "--codec", "delta", "--max-kl", "1"}, 2),
              HasSubstr("lossy"));
  EXPECT_THAT(ExpectFailure({"export", "roof", "--codec", "delta", "-o", Path("b")}, 2),
              HasSubstr("travels with its base"));
}

TEST_F(LibraryCommands, RecodeRefusesALargerLossThanAllowed) {
  Facts({"ingest", "roof", roof_});
  EXPECT_THAT(ExpectFailure({"recode", "roof", "--codec", "int8", "--max-kl", "1e-12"}, 2),
              HasSubstr("nothing was stored"));
  EXPECT_THAT(ExpectFailure({"recode", "roof", "--max-kl", "1"}, 2), HasSubstr("--codec"));
}

}  // namespace
}  // namespace statelib::cli
