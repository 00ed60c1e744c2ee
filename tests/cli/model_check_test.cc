// SPDX-License-Identifier: Apache-2.0
// `model check` as core/model/README.md and tests/golden/README.md tell it.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

class ModelCheck : public LibraryTest {
 protected:
  /// A golden checkpoint as its writers left it: without what the configuration says for statelib.
  std::string Untouched(const std::string& model) {
    const fs::path golden = fs::path(STATELIB_SOURCE_DIR) / "tests/golden" / model;
    const fs::path folder = Path(model);
    fs::create_directories(folder);
    for (const auto& entry : fs::directory_iterator(golden))
      if (entry.path().filename() != "config.json")
        fs::create_symlink(entry.path(), folder / entry.path().filename());
    auto config = nlohmann::json::parse(Read((golden / "config.json").string()));
    config.erase("mixer_norm_groups");
    Write(model + "/config.json", config.dump());
    return folder.string();
  }
};

TEST_F(ModelCheck, UntouchedCheckpointsAgreeWithTransformers) {
  const std::pair<const char*, Arguments> models[] = {
      {"mamba", {}},
      {"mamba_wide", {}},
      {"falcon_mamba", {}},
      {"mamba_original", {}},
      {"mamba2", {"--set", "mixer_norm_groups=1"}},
      {"mamba2_original", {"--set", "mixer_norm_groups=1"}}};
  for (const auto& [model, options] : models) {
    Arguments arguments = {"model", "check", Untouched(model)};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const auto report = Facts(arguments);
    EXPECT_EQ(report["passed"], true) << report;
    EXPECT_EQ(report["greedy_tokens_matched"], 24) << model;
    double logits = 0;
    for (const auto& error : report["errors"]) {
      EXPECT_LE(error["allowed"], 1e-4) << error;
      if (error["what"] == "logits") logits = error["largest"];
    }
    std::printf("%s: largest error of logits %.2g\n", model, logits);
    EXPECT_GT(logits, 0) << model;
  }
}

TEST_F(ModelCheck, WithoutAWordTheGatedNormIsThatOfEachGroup) {
  for (const std::string model : {"mamba2", "mamba2_original"}) {
    const std::string folder = Untouched(model);
    const ProcessResult by_group = Run({"model", "check", folder, "--json"});
    EXPECT_EQ(by_group.exit_code, 5);
    EXPECT_EQ(nlohmann::json::parse(by_group.out),
              nlohmann::json::parse(
                  Run({"model", "check", folder, "--set", "mixer_norm_groups=2", "--json"}).out));
  }
}

TEST_F(ModelCheck, AFactThatTheModelCannotHaveIsRefused) {
  const std::string folder = Untouched("mamba2");
  EXPECT_THAT(ExpectFailure({"model", "check", folder, "--set", "mixer_norm_groups=3"}, 4),
              HasSubstr("found 3"));
  ExpectFailure({"model", "check", folder, "--set", "mixer_norm_groups"}, 2);
}

TEST_F(ModelCheck, OnATerminalItShowsHowFarItIs) {
  ProcessOptions terminal;
  terminal.terminal = true;
  const ProcessResult result = Run({"model", "check", Untouched("mamba")}, terminal);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("of 99 tokens"));
}

}  // namespace
}  // namespace statelib::cli
