// SPDX-License-Identifier: Apache-2.0
// Every form gives back what went in, within the error of its types.
#include "core/model/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <fstream>

#include "core/base/error.h"
#include "core/model/architectures.h"
#include "core/model_files/statelib_model.h"
#include "tests/core/model/logits_of.h"
#include "tests/temporary_directory.h"

namespace statelib::model {
namespace {

using model_files::ElementType;
using model_files::ModelFiles;
using testing::HasSubstr;
namespace fs = std::filesystem;

fs::path Golden(const std::string& name) {
  return fs::path(STATELIB_SOURCE_DIR) / "tests/golden" / name;
}

double LargestError(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double error = std::fabs(double{a[i]} - double{b[i]});
    if (!std::isfinite(error)) return error;
    largest = std::max(largest, error);
  }
  return largest;
}

struct Case {
  std::string from;
  ModelForm form;
  std::string to;
};

class ConvertTest : public testing::TestWithParam<Case> {};

TEST_P(ConvertTest, AnUnchangedTypeComputesTheSameBits) {
  TemporaryDirectory folder;
  const auto from = OpenModelFiles(Golden(GetParam().from));
  const fs::path path = folder.path() / GetParam().to;
  Convert(*from, path, {.form = GetParam().form});
  const auto to = OpenModelFiles(path);
  EXPECT_EQ(LogitsOf(*to), LogitsOf(*from));
}

TEST_P(ConvertTest, HalvesStayWithinTheirError) {
  TemporaryDirectory folder;
  const auto from = OpenModelFiles(Golden(GetParam().from));
  const std::vector<float> expected = LogitsOf(*from);
  for (const ElementType type : {ElementType::kF16, ElementType::kBF16}) {
    const fs::path path = folder.path() / GetParam().to;
    Convert(*from, path, {.form = GetParam().form, .weights = type, .replace = true});
    const double error = LargestError(LogitsOf(*OpenModelFiles(path)), expected);
    std::printf("%s as %s: largest error of logits %.2g\n", GetParam().from.c_str(),
                std::string(NameOf(type)).c_str(), error);
    EXPECT_GT(error, 0);
    // Relative rounding of 2^-11 and 2^-8 over a few layers, on logits of a few units.
    EXPECT_LT(error, type == ElementType::kF16 ? 0.02 : 0.16);
  }
}

TEST_P(ConvertTest, BackInHuggingFacesFormTheNamesAndValuesAreTheSame) {
  TemporaryDirectory folder;
  const auto from = OpenModelFiles(Golden(GetParam().from));
  const fs::path there = folder.path() / GetParam().to, back = folder.path() / "back";
  Convert(*from, there, {.form = GetParam().form});
  Convert(*OpenModelFiles(there), back, {.form = ModelForm::kHuggingFace});
  const auto again = OpenModelFiles(back);
  EXPECT_LT(LargestError(LogitsOf(*again), LogitsOf(*from)), 1e-4);  // log and exp of A
  EXPECT_NE(again->Find("backbone.layers.0.mixer.A_log"), nullptr);
  EXPECT_NE(again->Find("backbone.embeddings.weight"), nullptr);
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (const char* from : {"mamba", "mamba_original", "mamba2", "mamba2_original", "falcon_mamba"})
    for (const auto& [form, to] :
         {std::pair(ModelForm::kHuggingFace, "folder"), std::pair(ModelForm::kGguf, "m.gguf"),
          std::pair(ModelForm::kModelFile, "m.statelib-model")})
      cases.push_back({from, form, to});
  cases.push_back({"mamba_wide", ModelForm::kHuggingFace, "folder"});
  cases.push_back({"mamba_wide", ModelForm::kModelFile, "m.statelib-model"});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Forms, ConvertTest, testing::ValuesIn(Cases()),
                         [](const auto& conversion) {
                           const std::string to = conversion.param.to;
                           return conversion.param.from + "_" +
                                  to.substr(to.find('.') == to.npos ? 0 : to.find('.') + 1, 4);
                         });

using Facts = std::vector<model_files::ConfigFact>;

/// The error of a conversion.
std::pair<ErrorKind, std::string> FailureOf(const std::string& from, const fs::path& to,
                                            const ConvertOptions& options,
                                            const Facts& facts = {}) {
  try {
    Convert(*OpenModelFiles(Golden(from), facts), to, options);
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  ADD_FAILURE() << "it was converted";
  return {};
}

size_t FilesIn(const fs::path& folder) {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(Convert, InGgufEightBitsStayWithinTheirError) {
  TemporaryDirectory folder;
  const auto from = OpenModelFiles(Golden("mamba"));
  const fs::path path = folder.path() / "m.gguf";
  Convert(*from, path, {.form = ModelForm::kGguf, .weights = ElementType::kQ8_0});
  const auto to = OpenModelFiles(path);
  // 96 inputs fill blocks of 32; 48 and the rank of dt do not, so those matrices keep their type.
  const model_files::TensorRef& blocks = to->Get("backbone.layers.0.mixer.out_proj.weight");
  EXPECT_EQ(blocks.type, ElementType::kQ8_0);
  EXPECT_EQ(to->Get("backbone.layers.0.mixer.in_proj.weight").type, ElementType::kF32);
  const std::vector<float> expected = ReadF32(from->Get(blocks.name)), found = ReadF32(blocks);
  float largest = 0;
  for (const float value : expected) largest = std::max(largest, std::fabs(value));
  // Half a step, and the rounding of the step itself to F16.
  EXPECT_LE(LargestError(found, expected), largest / 127 * (0.5 + 127.0 / 2048));
  EXPECT_GT(LargestError(found, expected), 0);
}

TEST(Convert, AModelFileKeepsConfigurationAndTensorsByteByByte) {
  TemporaryDirectory folder;
  const auto from = OpenModelFiles(Golden("mamba_original"));
  const fs::path path = folder.path() / "m.statelib-model";
  Convert(*from, path, {.form = ModelForm::kModelFile});
  const auto to = OpenModelFiles(path);
  EXPECT_EQ(AsText(to->config_bytes()), AsText(from->config_bytes()));
  ASSERT_EQ(to->tensors().all().size(), from->tensors().all().size());
  for (const model_files::TensorRef& tensor : from->tensors().all())
    EXPECT_EQ(AsText(to->Get(tensor.name).bytes), AsText(tensor.bytes)) << tensor.name;
}

TEST(Convert, WhatIsThereIsReplacedOnlyWhenToldTo) {
  TemporaryDirectory folder;
  const fs::path file = folder.Write("m.gguf", "mine");
  EXPECT_THAT(FailureOf("mamba", file, {.form = ModelForm::kGguf}).second, HasSubstr("--force"));
  EXPECT_EQ(fs::file_size(file), 4u);
  Convert(*OpenModelFiles(Golden("mamba")), file, {.form = ModelForm::kGguf, .replace = true});
  EXPECT_GT(fs::file_size(file), 1000u);
  const fs::path into = folder.path() / "folder";
  folder.Write("folder/mine.txt", "mine");
  EXPECT_THAT(FailureOf("mamba", into, {.form = ModelForm::kHuggingFace}).second,
              HasSubstr("--force"));
  EXPECT_EQ(FilesIn(into), 1u);
}

TEST(Convert, NothingThatAKilledProcessLeftGetsIn) {
  TemporaryDirectory folder;
  const auto from = OpenModelFiles(Golden("mamba"));
  const fs::path path = folder.path() / "out";
  // The numbers of processes come back.
  const fs::path left = fmt::format("{}.{}.part", path.string(), ::getpid());
  fs::create_directories(left / "tokenizer.json");
  std::ofstream(left / "stray") << "x";
  Convert(*from, path, {.form = ModelForm::kHuggingFace});
  EXPECT_FALSE(fs::exists(path / "stray"));
  EXPECT_TRUE(fs::exists(left / "stray"));
}

TEST(Convert, StoppedHalfWayItLeavesNothing) {
  for (const ModelForm form : {ModelForm::kHuggingFace, ModelForm::kGguf, ModelForm::kModelFile}) {
    TemporaryDirectory folder;
    CancelFlag cancel;
    ConvertOptions options{.form = form, .cancel = &cancel};
    options.on_progress = [&](uint64_t done, uint64_t total) {
      if (2 * done > total) cancel.Cancel();
    };
    EXPECT_EQ(FailureOf("mamba", folder.path() / "out", options).first, ErrorKind::kCancelled);
    EXPECT_EQ(FilesIn(folder.path()), 0u);
  }
}

TEST(Convert, WhatAFormCannotSayIsRefusedWithAnotherForm) {
  TemporaryDirectory folder;
  const fs::path to = folder.path() / "out";
  const ConvertOptions gguf{.form = ModelForm::kGguf};
  const std::pair<std::string, Facts> refused[] = {
      {"mamba_wide", {}},  // use_bias
      {"falcon_mamba", {{"mixer_rms_eps", "1e-5"}}},
      {"mamba2", {{"mixer_norm_groups", "1"}}},
      {"mamba2", {{"time_step_limit", "[0.001, 1e30]"}}},
      {"mamba2", {{"time_step_limit", "[0.0, 0.1]"}}},
  };
  for (const auto& [from, facts] : refused) {
    const auto [kind, message] = FailureOf(from, to, gguf, facts);
    const std::string fact = facts.empty() ? "use_bias" : facts.back().key;
    EXPECT_EQ(kind, ErrorKind::kUnsupported) << message;
    EXPECT_THAT(message, HasSubstr(fact));
    EXPECT_THAT(message, HasSubstr("--to statelib"));
  }
  EXPECT_THAT(
      FailureOf("mamba", to, {.form = ModelForm::kHuggingFace, .weights = ElementType::kQ8_0})
          .second,
      HasSubstr("--to gguf"));
  EXPECT_EQ(FilesIn(folder.path()), 0u);
}

TEST(Convert, ASkipWeightForEachChannelIsRefusedInGguf) {
  TemporaryDirectory folder;
  const auto from = OpenModelFiles(Golden("mamba2"));
  const std::string skip(128 * sizeof(float), '\0');
  std::vector<model_files::TensorToWrite> tensors;
  for (const model_files::TensorRef& tensor : from->tensors().all()) {
    const bool is_skip = tensor.name.ends_with("mixer.D");
    tensors.push_back({tensor.name, tensor.type, tensor.shape, tensor.bytes});
    if (is_skip) tensors.back() = {tensor.name, ElementType::kF32, {128}, AsBytes(skip)};
  }
  const fs::path wide = folder.path() / "wide";
  model_files::WriteStatelibModel(FileSystem::Real(), wide, tensors,
                                  std::string(AsText(from->config_bytes())), "");
  EXPECT_THAT(FailureOf(wide.string(), folder.path() / "out", {.form = ModelForm::kGguf}).second,
              HasSubstr("mixer.D"));
}

TEST(Convert, InGgufConvolutionsWithoutBiasesGetZeroBiases) {
  for (const std::string name : {"mamba", "mamba2", "falcon_mamba"}) {
    TemporaryDirectory folder;
    const auto from = OpenModelFiles(Golden(name), Facts{{"use_conv_bias", "false"}});
    const fs::path path = folder.path() / "m.gguf";
    Convert(*from, path, {.form = ModelForm::kGguf});
    const auto to = OpenModelFiles(path);
    EXPECT_EQ(LogitsOf(*to), LogitsOf(*from)) << name;
    EXPECT_NE(LogitsOf(*to), LogitsOf(*OpenModelFiles(Golden(name)))) << name;
    EXPECT_THAT(ReadF32(to->Get("backbone.layers.0.mixer.conv1d.bias")), testing::Each(0.0f));
  }
}

TEST(Convert, InGgufAnUnboundedTimeStepMayBeSpeltAsALargeNumber) {
  TemporaryDirectory folder;
  const auto from = OpenModelFiles(Golden("mamba2"), Facts{{"time_step_limit", "[0.0, 1e30]"}});
  const fs::path path = folder.path() / "m.gguf";
  Convert(*from, path, {.form = ModelForm::kGguf});
  EXPECT_EQ(LogitsOf(*OpenModelFiles(path)), LogitsOf(*from));
}

TEST(Convert, WhatGgufLosesIsNoted) {
  TemporaryDirectory folder;
  const auto from = OpenModelFiles(Golden("mamba"), Facts{{"eos_token_id", "[5, 7]"}});
  const fs::path path = folder.path() / "m.gguf";
  const Conversion conversion = Convert(*from, path, {.form = ModelForm::kGguf});
  EXPECT_THAT(conversion.notes,
              testing::Contains(HasSubstr("eos_token_id: of 5, 7, 5 went into the file")));
  EXPECT_EQ(OpenModelFiles(path)->config()["eos_token_id"].Int(0, 10), 5);
}

}  // namespace
}  // namespace statelib::model
