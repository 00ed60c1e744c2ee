// SPDX-License-Identifier: Apache-2.0
// --weights, what it costs, and the packed weights that gc sees.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

using ::testing::HasSubstr;

constexpr const char* kText = "The roof has three leaks. The door of the south gate is red.\n";

class WeightsCommands : public LibraryTest {};

TEST_F(WeightsCommands, AStateGoesOnInTheFormatThatMadeItWithoutBeingTold) {
  const std::string file = Write("roof.md", kText);
  EXPECT_EQ(Facts({"ingest", "roof", file, "--weights", "int8"})["state"]["profile"], "int8-r1");
  EXPECT_EQ(Facts({"append", "roof", file})["state"]["profile"], "int8-r1");
  Facts({"generate", "roof", "--max-tokens", "2"});
  EXPECT_THAT(ExpectFailure({"generate", "roof", "--weights", "bf16", "--max-tokens", "2"}, 5),
              HasSubstr("--weights int8"));
}

TEST_F(WeightsCommands, QualityAgainstItselfIsPerfectAndInt4CostsSomething) {
  const std::string file = Write("roof.md", kText);
  const auto same = Facts({"eval", "quality", "--text", file, "--weights", "f32"});
  EXPECT_EQ(same["kl"], 0);
  EXPECT_EQ(same["top1_agreement"], 1);
  EXPECT_EQ(same["perplexity"], same["reference_perplexity"]);
  const auto rounded = Facts({"eval", "quality", "--text", file, "--weights", "int4"});
  EXPECT_EQ(rounded["profile"], "int4-r1");
  EXPECT_GT(rounded["kl"], 0);
  EXPECT_EQ(rounded["reference_perplexity"], same["perplexity"]);
}

TEST_F(WeightsCommands, PackedWeightsOfAForgottenModelAreRemovedByGc) {
  const std::string file = Write("roof.md", kText);
  // The program's own model cannot be removed, a copy of it can.
  std::filesystem::copy(std::string(STATELIB_SOURCE_DIR) + "/examples/models/demo", Path("copy"));
  Facts({"model", "add", Path("copy"), "--name", "copy"});
  Facts({"ingest", "roof", file, "--model", "copy"});
  EXPECT_EQ(Facts({"gc", "--dry-run"})["packed_weights"], 0);
  Facts({"rm", "roof"});
  Facts({"gc"});
  Facts({"model", "rm", "copy"});
  EXPECT_EQ(Facts({"gc", "--dry-run"})["packed_weights"], 1);
  EXPECT_EQ(Facts({"gc"})["packed_weights"], 1);
  EXPECT_EQ(Facts({"gc"})["packed_weights"], 0);
}

TEST_F(WeightsCommands, BenchNamesTheModelThatIsNotThere) {
  EXPECT_THAT(ExpectFailure({"bench", "--model", Path("nowhere")}, 3), HasSubstr("nowhere"));
}

}  // namespace
}  // namespace statelib::cli
