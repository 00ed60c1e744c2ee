// SPDX-License-Identifier: Apache-2.0
// `model check` as core/model/README.md and tests/golden/README.md tell it.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <limits>

#include "tests/cli/library_fixture.h"
#include "tests/loose_tensors.h"

namespace statelib::cli {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;

const fs::path kGolden = fs::path(STATELIB_SOURCE_DIR) / "tests/golden";

class ModelCheck : public LibraryTest {
 protected:
  /// A golden model with other values in its configuration.
  std::string With(const std::string& model, const nlohmann::json& facts) {
    const fs::path folder = Path(model + "-other");
    fs::create_directories(folder);
    for (const auto& entry : fs::directory_iterator(kGolden / model))
      if (entry.path().filename() != "config.json")
        fs::create_symlink(entry.path(), folder / entry.path().filename());
    auto config = nlohmann::json::parse(Read((kGolden / model / "config.json").string()));
    config.update(facts);
    Write(model + "-other/config.json", config.dump());
    return folder.string();
  }

  /// The golden file of "mamba" with some tensors only, the first value of one of them exchanged,
  /// or one more of this name.
  std::string GoldenWith(const std::vector<std::string>& names, const std::string& damaged = "",
                         float value = 0, const std::string& added = "") {
    LooseTensors tensors = ReadLoose(kGolden / "mamba/golden.safetensors");
    std::erase_if(tensors, [&](const LooseTensor& tensor) {
      return std::find(names.begin(), names.end(), tensor.name) == names.end();
    });
    if (!damaged.empty()) StoreLittle(value, Named(tensors, damaged).bytes.data());
    if (!added.empty()) tensors.push_back(FloatTensor(added, {2}, {0.5f, 0.5f}));
    const std::string path = Path("other.safetensors");
    WriteLoose(path, tensors);
    return path;
  }

  ProcessResult Check(const std::string& golden) {
    return Run({"model", "check", (kGolden / "mamba").string(), "--golden", golden, "--json"});
  }
};

TEST_F(ModelCheck, PassesOnEveryCheckpointAsItsWritersLeftIt) {
  for (const std::string model : {"mamba", "mamba_wide", "falcon_mamba", "mamba_original", "mamba2",
                                  "mamba2_original", "mamba_gguf", "mamba2_gguf"}) {
    const fs::path place = kGolden / model / (model.ends_with("gguf") ? "model.gguf" : "");
    const auto report = Facts({"model", "check", place.string()});
    EXPECT_EQ(report["passed"], true) << report;
    EXPECT_EQ(report["greedy_tokens_matched"], 24) << model;
    EXPECT_EQ(report["not_looked_at"], nlohmann::json::array()) << model;
    double logits = 0;
    for (const auto& error : report["errors"]) {
      EXPECT_LT(error["allowed"], 2e-3) << error;
      if (error["what"] == "logits") logits = error["largest"];
    }
    std::printf("%s: largest error of logits %.2g\n", model.c_str(), logits);
    EXPECT_GT(logits, 0) << model;
    EXPECT_EQ(report["in_cuts"].is_object(),
              fs::exists(kGolden / model / "golden_long.safetensors"))
        << model;
  }
}

TEST_F(ModelCheck, TheLongerPromptIsReadInCutsThatASeedGivesAgain) {
  const std::string model = (kGolden / "mamba2").string();
  const auto report = Facts({"model", "check", model, "--seed", "7"})["in_cuts"];
  EXPECT_EQ(report["seed"], 7);
  EXPECT_EQ(report["prompt_tokens"], 300);
  EXPECT_EQ(report["cuts"], 3);
  EXPECT_EQ(report["cuts_that_differ"], 0);
  EXPECT_EQ(report["errors"].size(), 2u) << report;
  const ProcessResult text = Run({"model", "check", model});
  EXPECT_THAT(text.out, AllOf(HasSubstr("300 tokens in 3 ways of cutting, seed "),
                              HasSubstr("bytes of the cuts"), HasSubstr("\npassed\n")));
}

TEST_F(ModelCheck, AnErrorInTheLongerPromptAloneFails) {
  const std::string folder = With("mamba2", nlohmann::json::object());
  LooseTensors tensors = ReadLoose(kGolden / "mamba2/golden_long.safetensors");
  StoreLittle(-30.0f, Named(tensors, "next_token_logprob").bytes.data());
  fs::remove(fs::path(folder) / "golden_long.safetensors");
  WriteLoose(fs::path(folder) / "golden_long.safetensors", tensors);
  const ProcessResult result = Run({"model", "check", folder, "--json"});
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_EQ(nlohmann::json::parse(result.out)["passed"], false);
}

TEST_F(ModelCheck, NotANumberAnywhereFails) {
  for (const char* name : {"logits", "cache.0.conv_states.0", "cache.1.recurrent_states.0"}) {
    for (const float value :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      // The first element: of a window, it is in the oldest column, which is not compared.
      const ProcessResult result = Check(GoldenWith({"input_ids", "greedy", name}, name, value));
      EXPECT_EQ(result.exit_code, 5) << name << " " << value << result.out;
      EXPECT_THAT(nlohmann::json::parse(result.out)["not_finite"], testing::Contains(name));
    }
  }
}

TEST_F(ModelCheck, AGoldenFileThatHoldsNothingToCompareFails) {
  const ProcessResult result = Check(GoldenWith({"input_ids"}));
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_EQ(nlohmann::json::parse(result.out)["passed"], false);
  EXPECT_THAT(result.err, HasSubstr("records nothing to compare"));
}

TEST_F(ModelCheck, WhatCannotBeComparedIsSaid) {
  const ProcessResult foreign = Check(GoldenWith({"input_ids", "logits"}, "", 0, "cache.1.keys"));
  EXPECT_EQ(foreign.exit_code, 5);
  EXPECT_EQ(nlohmann::json::parse(foreign.out)["without_place"],
            nlohmann::json::array({"cache.1.keys"}));
  const ProcessResult unknown = Check(GoldenWith({"input_ids", "logits"}, "", 0, "attentions"));
  EXPECT_EQ(unknown.exit_code, 0);
  EXPECT_EQ(nlohmann::json::parse(unknown.out)["not_looked_at"],
            nlohmann::json::array({"attentions"}));
}

TEST_F(ModelCheck, AModelThatAveragesTheWholeWidthIsHintedAt) {
  for (const auto& [model, groups] : {std::pair("mamba2", 4), std::pair("mamba2_original", 4)}) {
    const std::string folder = (kGolden / model).string();
    const ProcessResult whole = Run({"model", "check", folder, "--set", "mixer_norm_groups=1"});
    EXPECT_EQ(whole.exit_code, 5);
    EXPECT_THAT(whole.err, HasSubstr(fmt::format("--set mixer_norm_groups={}", groups)));
    EXPECT_EQ(Facts({"model", "check", folder, "--set",
                     fmt::format("mixer_norm_groups={}", groups)})["passed"],
              true);
    EXPECT_THAT(Run({"model", "check", folder, "--tolerance", "1e-12"}).err,
                HasSubstr("--set mixer_norm_groups=1"));
  }
  EXPECT_THAT(Run({"model", "check", (kGolden / "mamba").string(), "--tolerance", "1e-12"}).err,
              testing::Not(HasSubstr("mixer_norm_groups")));
}

TEST_F(ModelCheck, AFactThatTheModelCannotHaveIsRefused) {
  const std::string folder = (kGolden / "mamba2").string();
  EXPECT_THAT(ExpectFailure({"model", "check", folder, "--set", "mixer_norm_groups=3"}, 4),
              HasSubstr("found 3"));
  ExpectFailure({"model", "check", folder, "--set", "mixer_norm_groups"}, 2);
}

TEST_F(ModelCheck, ANormThatAConfigurationDeniesIsUsedAndSaid) {
  const auto report = Facts({"model", "check", With("mamba2", {{"rms_norm", false}})});
  EXPECT_EQ(report["passed"], true);
  ASSERT_EQ(report["notes"].size(), 1u);
  EXPECT_THAT(report["notes"][0], HasSubstr("rms_norm false"));
}

TEST_F(ModelCheck, OnATerminalItShowsHowFarItIs) {
  ProcessOptions terminal;
  terminal.terminal = true;
  const ProcessResult result = Run({"model", "check", (kGolden / "mamba").string()}, terminal);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("of 99 tokens"));
}

}  // namespace
}  // namespace statelib::cli
