// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kRoof = "The roof has three leaks.\n";
constexpr const char* kGate =
    "Das Tor ist \xC3\xBC"
    "bermalt:\trot \xE2\x98\x83\x1b[31m.\n";

class Upkeep : public LibraryTest {
 protected:
  void SetUp() override {
    roof_ = Write("roof.md", kRoof);
    gate_ = Write("gate.md", kGate);
  }

  std::string roof_;
  std::string gate_;
};

// ------------------------------------------------------------------------ cat

TEST_F(Upkeep, CatGivesTheTextBackByteForByte) {
  Facts({"ingest", "roof", roof_});
  Facts({"append", "roof", gate_});
  EXPECT_EQ(Run({"cat", "roof"}).out, std::string(kRoof) + kGate);
  EXPECT_EQ(Run({"cat", "roof@1"}).out, kRoof);
  EXPECT_EQ(Facts({"cat", "roof"})["text"], std::string(kRoof) + kGate);
}

TEST_F(Upkeep, CatSendsNoControlCharactersToATerminal) {
  Facts({"ingest", "gate", gate_});
  ProcessOptions options;
  options.terminal = true;
  const std::string out = Run({"cat", "gate"}, options).out;
  EXPECT_THAT(out, HasSubstr("\\x1b[31m"));
  EXPECT_THAT(out, Not(HasSubstr("\x1b[31m")));
}

TEST_F(Upkeep, CatRefusesForgottenTokens) {
  Facts({"ingest", "roof", roof_, "--forget-tokens"});
  EXPECT_THAT(ExpectFailure({"cat", "roof"}, 2), HasSubstr("are not kept"));
}

// ------------------------------------------------------------------------ stats

TEST_F(Upkeep, StatsCountWhatTheLibraryHolds) {
  Facts({"ingest", "roof", roof_});
  Facts({"cp", "roof", "copy"});
  const auto facts = Facts({"stats"});
  EXPECT_EQ(facts["names"], 2);
  EXPECT_EQ(facts["versions"], 2);
  EXPECT_EQ(facts["states"], 1);
  EXPECT_EQ(facts["raw_bytes"], Facts({"show", "roof"})["raw_bytes"]);
  EXPECT_EQ(facts["shared_bytes"], facts["state_bytes"]);
  EXPECT_THAT(Run({"stats"}).out, HasSubstr("shared"));
  EXPECT_EQ(Run({"stats", "-q"}).out, std::to_string(facts["stored_bytes"].get<uint64_t>()) + "\n");
}

// ------------------------------------------------------------------------ forget

TEST_F(Upkeep, ForgetSaysWhatItWouldTakeAndTakesIt) {
  Facts({"ingest", "roof", roof_});
  Facts({"append", "roof", gate_});
  Facts({"append", "roof", roof_});
  Facts({"ingest", "gate", gate_});
  const std::string forecast = Run({"forget", "*", "--keep-last", "1", "--dry-run"}).out;
  EXPECT_THAT(forecast,
              HasSubstr("roof: would remove @1, @2, 1 of 3 versions would stay; gc would"));
  EXPECT_THAT(forecast, HasSubstr("gate: all of 1 version stay"));
  EXPECT_EQ(Facts({"log", "roof"})["versions"].size(), 3u);
  const auto facts = Facts({"forget", "roof", "--keep-last", "1"});
  EXPECT_EQ(facts["names"][0]["kept"], 1);
  EXPECT_EQ(facts["names"][0]["forgotten"][1]["version"], 2);
  const auto left = Facts({"log", "roof"});
  ASSERT_EQ(left["versions"].size(), 1u);
  EXPECT_EQ(left["versions"][0]["version"], 3);
  EXPECT_EQ(Facts({"gc", "--grace", "0"})["states"].size(),
            facts["names"][0]["freed_states"].size());
  ExpectSound();
  ExpectFailure({"forget", "roof"}, 2);
  ExpectFailure({"forget", "none*", "--keep-last", "1"}, 3);
}

TEST_F(Upkeep, ForgottenVersionsStayForgottenAfterARepair) {
  Facts({"ingest", "roof", roof_});
  Facts({"append", "roof", gate_});
  Facts({"append", "roof", roof_});
  EXPECT_EQ(Run({"forget", "roof", "--keep-last", "2", "-q"}).out, "roof@1\n");
  Facts({"gc", "--grace", "0"});
  for (const char* end : {"", "-wal", "-shm"})
    std::filesystem::remove(Library() + "/index.db" + end);
  EXPECT_EQ(Facts({"repair"})["lost"].size(), 0u);
  EXPECT_EQ(Run({"log", "roof", "-q"}).out, "roof@3\nroof@2\n");
  ExpectSound();
}

// ------------------------------------------------------------------------ patterns

TEST_F(Upkeep, PatternsNameStatesForRmTagExportAndList) {
  for (const char* name : {"a/one", "a/two", "a/two:draft", "b"}) Facts({"ingest", name, roof_});
  EXPECT_EQ(Run({"list", "a/two:*", "-q"}).out, "a/two:draft\na/two\n");
  EXPECT_EQ(Run({"list", "*:d*", "-q"}).out, "a/two:draft\n");
  EXPECT_EQ(Run({"search", "leaks", "--in", "a/two:d*", "-q"}).out, "a/two:draft@1\n");
  EXPECT_EQ(Run({"tag", "a/*", "b", "reviewed", "-q"}).out,
            "a/one:reviewed@1\na/two:reviewed@1\nb:reviewed@1\n");
  EXPECT_EQ(Facts({"export", "a/*:reviewed", "b", "-o", Path("bundle")})["states"], 1);
  const std::string line = ExpectFailure({"rm", "a/*"}, 2);
  EXPECT_THAT(line, HasSubstr("would remove 5 names: a/one, "));
  EXPECT_THAT(line, HasSubstr("--yes"));
  EXPECT_EQ(Facts({"rm", "a/*", "--dry-run"})["removed"].size(), 5u);
  EXPECT_EQ(Run({"rm", "a/*", "b:reviewed", "--yes", "-q"}).exit_code, 0);
  EXPECT_THAT(Names(), ElementsAre("b:latest"));
  ExpectFailure({"rm", "a*", "--yes"}, 3);
}

TEST_F(Upkeep, ALimitOfNoneIsNoLimit) {
  Facts({"ingest", "roof", roof_});
  Facts({"ingest", "other", Write("other.md", "Other leaks.\n")});
  for (const Arguments& command : {Arguments{"list"}, Arguments{"search", "leaks"}}) {
    const auto count = [&](const char* limit) {
      Arguments arguments = command;
      arguments.insert(arguments.end(), {"--limit", limit});
      const auto facts = Facts(arguments);
      return facts[command[0] == "list" ? "states" : "passages"].size();
    };
    EXPECT_EQ(count("1"), 1u) << command[0];
    EXPECT_EQ(count("0"), 2u) << command[0];
  }
}

}  // namespace
}  // namespace statelib::cli
