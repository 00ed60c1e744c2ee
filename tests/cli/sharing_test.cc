// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kRoof =
    "The roof has three leaks. Tomas Lorter is responsible for the roof.\n";
constexpr const char* kGate = "The door of the south gate is painted red.\n";

class Sharing : public LibraryTest {
 protected:
  void SetUp() override {
    Facts({"ingest", "roof", Write("roof.md", kRoof)});
    Facts({"append", "roof", Write("gate.md", kGate)});
  }
  /// Another user on another machine.
  ProcessOptions Elsewhere() {
    ProcessOptions options;
    options.environment = {{"STATELIB_HOME", Path("elsewhere")},
                           {"XDG_CONFIG_HOME", Path("elsewhere-config")}};
    return options;
  }

  const std::string bundle_ = Path("roof.statelib");
};

TEST_F(Sharing, KeysAreMadeListedTrustedAndForgotten) {
  auto key = Facts({"key", "create", "alice"});
  EXPECT_EQ(key["own"], true);
  key.erase("notes");
  EXPECT_EQ(Facts({"key", "list"})["keys"][0], key);
  EXPECT_THAT(Run({"key", "list"}).out, HasSubstr(key["key"].get<std::string>()));
  const auto trusted = Facts({"key", "trust", key["key"], "--name", "al"}, Elsewhere());
  EXPECT_EQ(trusted["own"], false);
  EXPECT_THAT(ExpectFailure({"key", "rm", "alice"}, 2), HasSubstr("--secret"));
  Facts({"key", "rm", "alice", "--secret"});
  EXPECT_EQ(Facts({"key", "list"})["keys"].size(), 0u);
  ExpectFailure({"key", "rm", "alice"}, 3);
  ExpectFailure({"key", "trust", "ed25519:12"}, 2);
  // A secret lies in no library.
  EXPECT_THAT(RunProgram({"grep", "-r", "statelib-ed25519-secret", Library()}).out, "");
}

TEST_F(Sharing, ABundleGoesThroughAPipe) {
  ExpectSound();
  const std::string program = STATELIB_PROGRAM;
  ProcessOptions options;
  options.environment = {{"STATELIB_HOME", Library()}, {"XDG_CONFIG_HOME", Path("config")}};
  const auto shell = [&](const std::string& script) {
    return RunProgram({"bash", "-c", "set -o pipefail; " + script, program}, options);
  };
  const ProcessResult piped =
      shell("\"$0\" export roof -o - | \"$0\" import - --allow-unsigned --library '" +
            Path("elsewhere") + "'");
  EXPECT_EQ(piped.exit_code, 0) << piped.err;
  EXPECT_THAT(piped.err, HasSubstr("standard output: 1 state in"));
  EXPECT_THAT(piped.out, HasSubstr("roof"));
  EXPECT_EQ(Facts({"show", "roof"}, Elsewhere())["id"], Facts({"show", "roof"})["id"]);
  EXPECT_EQ(Facts({"log", "roof"}, Elsewhere())["versions"][0]["sources"][0]["name"],
            "standard input");
  const ProcessResult named = shell(
      "\"$0\" export roof -o /dev/stdout 2>/dev/null | \"$0\" import <(cat) --dry-run "
      "--allow-unsigned --library '" +
      Path("third") + "'");
  EXPECT_EQ(named.exit_code, 0) << named.err;
  // The facts of the export, too, stay out of the bundle.
  const ProcessResult facts = shell("\"$0\" export roof -o - --json | \"$0\" import - --dry-run");
  EXPECT_EQ(facts.exit_code, 0) << facts.err;
  EXPECT_THAT(facts.err, HasSubstr("\"objects\":"));
}

TEST_F(Sharing, AnExportLeavesDevicesAndLinksAsTheyAre) {
  Run({"export", "roof", "-o", "/dev/null"});
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  std::filesystem::create_symlink("roof.statelib", Path("link"));
  Facts({"export", "roof", "-o", Path("link")});
  EXPECT_TRUE(std::filesystem::is_symlink(Path("link")));
  Facts({"import", bundle_, "--allow-unsigned"}, Elsewhere());
  EXPECT_THAT(ExpectFailure({"export", "roof", "-o", Path("")}, 2), HasSubstr("a folder"));
}

TEST_F(Sharing, ABundleIsNotWrittenOnATerminal) {
  ProcessOptions options;
  options.terminal = true;
  const ProcessResult result = Run({"export", "roof", "-o", "-"}, options);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.out, HasSubstr("standard output is a terminal"));
}

TEST_F(Sharing, OutputsFollowTheUmaskAndALibraryDoesNot) {
  ProcessOptions options;
  options.before_start = [] { ::umask(022); };
  Facts({"export", "roof", "-o", bundle_}, options);
  Facts({"init", "--shared", "--library", Path("team")}, options);
  ExpectFailure({"init", "--library", Path("team")}, 2);
  using std::filesystem::perms;
  const auto mode = [&](const std::string& path) {
    return std::filesystem::status(path).permissions();
  };
  EXPECT_EQ(mode(bundle_), perms(0644));
  EXPECT_EQ(mode(Library()), perms(0700));
  EXPECT_EQ(mode(Library() + "/index.db"), perms(0600));
  EXPECT_EQ(mode(Path("team")), perms(02770));
  EXPECT_EQ(mode(Path("team") + "/index.db"), perms(0660));
  std::filesystem::create_directory(Path("share"));
  Facts({"push", Path("share"), "roof"}, options);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(Path("share")))
    EXPECT_EQ(entry.status().permissions(), perms(entry.is_directory() ? 0755 : 0644))
        << entry.path();
}

TEST_F(Sharing, ASignedBundleIsTakenFromWhomIsTrusted) {
  const std::string key = Facts({"key", "create", "alice"})["key"];
  EXPECT_EQ(Facts({"export", "roof", "-o", bundle_})["signer"], key);
  EXPECT_THAT(ExpectFailure({"import", bundle_}, 5, Elsewhere()), HasSubstr(key));
  const auto plan = Facts({"import", bundle_, "--dry-run"}, Elsewhere());
  EXPECT_EQ(plan["signer"]["key"], key);
  EXPECT_EQ(plan["signer"]["accepted"], false);
  EXPECT_THAT(Run({"import", bundle_, "--dry-run"}, Elsewhere()).out,
              HasSubstr("needs --trust-signer"));
  Facts({"key", "trust", key, "--name", "alice"}, Elsewhere());
  EXPECT_EQ(Facts({"import", bundle_}, Elsewhere())["signer"]["name"], "alice");
  EXPECT_EQ(Facts({"show", "roof"}, Elsewhere())["id"], Facts({"show", "roof"})["id"]);
}

TEST_F(Sharing, AnUnsignedBundleIsTakenWhenAllowed) {
  Facts({"key", "create", "alice"});
  EXPECT_EQ(Facts({"export", "roof", "-o", bundle_, "--no-sign"})["signer"], nullptr);
  EXPECT_THAT(ExpectFailure({"import", bundle_}, 5, Elsewhere()), HasSubstr("--allow-unsigned"));
  EXPECT_EQ(Facts({"import", bundle_, "--allow-unsigned"}, Elsewhere())["signer"]["key"], nullptr);
}

TEST_F(Sharing, TextIsLeftOutAndTheStateStillAnswers) {
  Facts({"export", "roof", "-o", bundle_, "--no-tokens", "--no-sources", "--no-lineage"});
  Facts({"import", bundle_, "--allow-unsigned"}, Elsewhere());
  const auto bare = Facts({"show", "roof"}, Elsewhere());
  EXPECT_EQ(bare["tokens_kept"], false);
  EXPECT_EQ(bare["history"], Facts({"show", "roof"})["history"]);
  EXPECT_EQ(bare["lineage"].size(), 2u);  // the import, and how the state itself came to be
  EXPECT_EQ(bare["lineage"][1]["sources"].size(), 0u);
  EXPECT_EQ(Facts({"generate", "roof", " The", "--max-tokens", "3"}, Elsewhere())["text"],
            Facts({"generate", "roof", " The", "--max-tokens", "3"})["text"]);
}

TEST_F(Sharing, AllVersionsOfANameTravel) {
  Facts({"export", "roof", "--all-versions", "-o", bundle_});
  Facts({"import", bundle_, "--allow-unsigned"}, Elsewhere());
  EXPECT_EQ(Facts({"log", "roof"}, Elsewhere())["versions"].size(), 2u);
  EXPECT_EQ(Facts({"show", "roof@1"}, Elsewhere())["id"], Facts({"show", "roof@1"})["id"]);
  ExpectFailure({"export", "roof@1", "--all-versions", "-o", bundle_}, 2);
}

TEST_F(Sharing, StatesAreStoredSmallerOnTheirWayAndStayAsTheyAreHere) {
  const auto here = Facts({"show", "roof"});
  const auto done = Facts({"export", "roof", "--codec", "int8", "-o", bundle_});
  ASSERT_EQ(done["recoded"].size(), 1u);
  EXPECT_EQ(done["recoded"][0]["reference"]["name"], "roof");
  EXPECT_EQ(Facts({"show", "roof"}), here);
  Facts({"import", bundle_, "--allow-unsigned"}, Elsewhere());
  const auto there = Facts({"show", "roof"}, Elsewhere());
  EXPECT_EQ(there["id"], done["recoded"][0]["state"]["id"]);
  EXPECT_EQ(there["fidelity"]["codec"], "int8");
  EXPECT_EQ(there["history"], here["history"]);
  EXPECT_LT(there["stored_bytes"], here["stored_bytes"]);
  EXPECT_EQ(there["lineage"].back()["operation"], "ingest");
  EXPECT_EQ(there["lineage"].back()["sources"].size(), here["lineage"].back()["sources"].size());
  ExpectFailure({"export", "roof", "--codec", "int8", "--max-kl", "1e-12", "-o", bundle_}, 2);
  EXPECT_THAT(ExpectFailure({"export", "roof@1", "roof@2", "--codec", "bf16", "-o", bundle_}, 2),
              HasSubstr("one version of a name"));
}

}  // namespace
}  // namespace statelib::cli
