// SPDX-License-Identifier: Apache-2.0
// `model convert` by what the written model computes.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

class ModelConvert : public LibraryTest {
 protected:
  static std::string Golden(const std::string& model) {
    return std::string(STATELIB_SOURCE_DIR) + "/tests/golden/" + model;
  }
  static std::string Demo() { return std::string(STATELIB_SOURCE_DIR) + "/examples/models/demo"; }

  /// Largest error of logits of what `path` computes against the golden file of `model`.
  double ErrorOf(const std::string& path, const std::string& model) {
    const auto report =
        Facts({"model", "check", path, "--golden", Golden(model) + "/golden.safetensors",
               "--weights", "f32", "--tolerance", "10"});
    for (const auto& error : report["errors"])
      if (error["what"] == "logits") return error["largest"];
    ADD_FAILURE() << report;
    return 0;
  }

  /// The text that a model goes on with.
  std::string AnswerOf(const Arguments& model) {
    Arguments arguments = {"generate", "--no-state", "The roof of the", "--max-tokens", "12"};
    arguments.insert(arguments.end(), model.begin(), model.end());
    return Facts(arguments)["text"];
  }

  size_t Entries() const {
    const fs::path folder = fs::path(Path("x")).parent_path();
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
  }
};

struct Form {
  const char* name;
  const char* path;
};
constexpr Form kForms[] = {
    {"safetensors", "folder"}, {"gguf", "m.gguf"}, {"statelib", "m.statelib-model"}};

TEST_F(ModelConvert, EveryFormComputesWhatTheOriginalDoes) {
  for (const std::string model : {"mamba", "mamba_original", "falcon_mamba"}) {
    for (const Form& form : kForms) {
      const auto facts =
          Facts({"model", "convert", Golden(model), Path(form.path), "--to", form.name, "--force"});
      EXPECT_EQ(facts["form"], form.name);
      EXPECT_GT(facts["tensor_bytes"], 0);
      EXPECT_LT(ErrorOf(Path(form.path), model), 1e-4) << model << " as " << form.name;
    }
  }
}

TEST_F(ModelConvert, EveryTypeStaysWithinItsError) {
  const std::pair<const char*, double> types[] = {
      {"f32", 1e-4}, {"f16", 0.02}, {"bf16", 0.16}, {"int8", 0.1}};
  for (const Form& form : kForms) {
    for (const auto& [type, tolerance] : types) {
      const bool is_folder = std::string(form.name) == "safetensors";
      const Arguments convert = {"model",         "convert", Golden("mamba"),
                                 Path(form.path), "--to",    form.name,
                                 "--weights",     type,      "--force"};
      if (is_folder && std::string(type) == "int8") {
        EXPECT_THAT(ExpectFailure(convert, 2), HasSubstr("--to gguf"));
        continue;
      }
      Facts(convert);
      const double error = ErrorOf(Path(form.path), "mamba");
      std::printf("%s %s: largest error of logits %.2g\n", form.name, type, error);
      EXPECT_LT(error, tolerance) << form.name << " " << type;
      EXPECT_EQ(error > 1e-4, std::string(type) != "f32") << form.name << " " << type;
    }
  }
}

TEST_F(ModelConvert, AFactIsSetForGood) {
  Facts({"model", "convert", Golden("mamba2"), Path("whole"), "--to", "safetensors", "--set",
         "mixer_norm_groups=1"});
  EXPECT_EQ(
      Run({"model", "check", Path("whole"), "--golden", Golden("mamba2") + "/golden.safetensors"})
          .exit_code,
      5);
  EXPECT_THAT(Read(Path("whole/config.json")), HasSubstr("\"mixer_norm_groups\""));
  Facts({"model", "convert", Path("whole"), Path("m.gguf"), "--to", "gguf", "--set",
         "mixer_norm_groups=4"});
  EXPECT_LT(ErrorOf(Path("m.gguf"), "mamba2"), 1e-4);
}

TEST_F(ModelConvert, TheTokenizerGoesAlong) {
  const std::string expected = AnswerOf({});
  for (const Form& form : kForms) {
    Facts({"model", "convert", Demo(), Path(form.path), "--to", form.name});
    EXPECT_EQ(AnswerOf({"--model", Path(form.path)}), expected) << form.name;
  }
}

TEST_F(ModelConvert, StatelibsOwnFormIsTheSameModel) {
  Facts({"ingest", "roof", Write("roof.md", "The budget for the roof is 5200 dollars.\n")});
  Facts({"model", "convert", Demo(), Path("m.statelib-model"), "--to", "statelib"});
  const Arguments generate = {"generate", "roof", "--max-tokens", "4"};
  Arguments from_file = generate;
  from_file.insert(from_file.end(), {"--model", Path("m.statelib-model")});
  EXPECT_EQ(Facts(from_file)["text"], Facts(generate)["text"]);
}

TEST_F(ModelConvert, AModelOfTheLibraryIsFoundByItsName) {
  Facts({"model", "add", Demo(), "--name", "small"});
  Facts({"model", "convert", "small", Path("m.gguf"), "--to", "gguf", "--weights", "bf16"});
  EXPECT_EQ(Facts({"model", "check", "small"})["passed"], true);
  EXPECT_THAT(ExpectFailure({"model", "convert", "smal", Path("x"), "--to", "gguf"}, 3),
              HasSubstr("small"));
}

TEST_F(ModelConvert, WhatIsThereStaysWithoutForce) {
  const std::string file = Write("mine", "mine");
  Write("mine-too/letter", "mine");
  for (const auto& [form, to] : {std::pair("gguf", file), std::pair("statelib", file),
                                 std::pair("safetensors", Path("mine-too"))}) {
    const std::string line =
        ExpectFailure({"model", "convert", Golden("mamba"), to, "--to", form}, 2);
    EXPECT_THAT(line, HasSubstr(to));
    EXPECT_THAT(line, HasSubstr("--force"));
  }
  EXPECT_EQ(Read(file), "mine");
  EXPECT_EQ(Read(Path("mine-too/letter")), "mine");
}

TEST_F(ModelConvert, WhatCannotBeDoneIsSaidInOneLineAndLeavesNothing) {
  const size_t before = Entries();
  const std::string to = Path("out");
  const auto convert = [&](const std::string& from, const Arguments& options) {
    Arguments arguments = {"model", "convert", from, to};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return arguments;
  };
  const std::string mamba = Golden("mamba");
  EXPECT_THAT(ExpectFailure(convert(mamba, {"--to", "onnx"}), 2), HasSubstr("onnx"));
  EXPECT_THAT(ExpectFailure(convert(mamba, {}), 2), HasSubstr("--to"));
  EXPECT_THAT(ExpectFailure(convert(mamba, {"--to", "gguf", "--weights", "int2"}), 2),
              HasSubstr("int2"));
  EXPECT_THAT(ExpectFailure(convert(Path("nowhere"), {"--to", "gguf"}), 3), HasSubstr("nowhere"));
  EXPECT_THAT(ExpectFailure(convert(Golden("mamba_wide"), {"--to", "gguf"}), 8),
              HasSubstr("use_bias"));
  EXPECT_THAT(
      ExpectFailure(convert(Golden("mamba2"), {"--to", "gguf", "--set", "mixer_norm_groups=1"}), 8),
      HasSubstr("mixer_norm_groups"));
  EXPECT_THAT(ExpectFailure(convert(mamba, {"--to", "gguf", "--set", "nonsense"}), 2),
              HasSubstr("nonsense"));
  EXPECT_THAT(ExpectFailure({"model", "convert", mamba, Path("no/such/out"), "--to", "gguf"}, 3),
              HasSubstr("no/such"));
  EXPECT_EQ(Entries(), before);
}

TEST_F(ModelConvert, OnATerminalItShowsHowFarItIs) {
  ProcessOptions terminal;
  terminal.terminal = true;
  const ProcessResult result =
      Run({"model", "convert", Demo(), Path("m.gguf"), "--to", "gguf"}, terminal);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, HasSubstr("bytes"));
  EXPECT_THAT(result.out, HasSubstr(" of weights"));
}

TEST_F(ModelConvert, LinksStayAndAStreamIsWrittenThrough) {
  const std::string source = Golden("mamba");
  fs::create_symlink("m.gguf", Path("link"));
  Facts({"model", "convert", source, Path("link"), "--to", "gguf"});
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  fs::create_symlink("folder", Path("folder-link"));
  Facts({"model", "convert", source, Path("folder-link"), "--to", "safetensors"});
  EXPECT_TRUE(fs::is_symlink(Path("folder-link")));
  fs::rename(Path("folder/config.json"), Path("config-elsewhere"));
  fs::create_symlink("../config-elsewhere", Path("folder/config.json"));
  Facts({"model", "convert", source, Path("folder-link"), "--to", "safetensors", "--force"});
  EXPECT_TRUE(fs::is_symlink(Path("folder/config.json")));
  EXPECT_LT(ErrorOf(Path("folder"), "mamba"), 1e-4);

  ProcessOptions options;
  options.out_path = Path("piped.gguf");
  const ProcessResult piped = Run({"model", "convert", source, "-", "--to", "gguf"}, options);
  EXPECT_EQ(piped.exit_code, 0) << piped.err;
  EXPECT_THAT(piped.err, HasSubstr("standard output: "));
  EXPECT_EQ(RunProgram({"cmp", Path("piped.gguf"), Path("m.gguf")}).exit_code, 0);
  ExpectFailure({"model", "convert", source, "-", "--to", "safetensors"}, 2);
}

}  // namespace
}  // namespace statelib::cli
