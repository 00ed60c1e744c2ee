// SPDX-License-Identifier: Apache-2.0
// What a model of this architecture must hold; parity of its results is
// tests/core/engine/golden_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "core/base/error.h"
#include "core/model/architectures.h"
#include "core/model/model.h"
#include "core/model_files/safetensors_writer.h"
#include "kernels/backends.h"
#include "tests/temporary_directory.h"

namespace statelib::model {
namespace {

using testing::HasSubstr;

const std::filesystem::path kMamba =
    std::filesystem::path(STATELIB_SOURCE_DIR) / "tests/golden/mamba";

std::string ReadText(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// The error of loading a folder.
std::pair<ErrorKind, std::string> FailureOf(const std::filesystem::path& folder) {
  try {
    const auto model_files = OpenModelFiles(folder);
    const auto backend = kernels::MakeReferenceBackend();
    LoadModel(*model_files, *backend);
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  ADD_FAILURE() << "it was loaded";
  return {};
}

/// The error of loading the tiny model with one text of its config replaced.
std::pair<ErrorKind, std::string> FailureWithConfig(const std::string& from,
                                                    const std::string& to) {
  TemporaryDirectory folder;
  std::filesystem::copy_file(kMamba / "model.safetensors", folder.path() / "model.safetensors");
  folder.Write("config.json", Replaced(ReadText(kMamba / "config.json"), from, to));
  return FailureOf(folder.path());
}

TEST(Mamba1, StatesHaveAConvolutionWindowAndARecurrentStateForEveryLayerAndOneHiddenVector) {
  const auto model_files = OpenModelFiles(kMamba);
  const auto backend = kernels::MakeReferenceBackend();
  const auto model = LoadModel(*model_files, *backend);
  ASSERT_EQ(model->layout().SpecFor(0).size(), 7u);
  EXPECT_EQ(model->layout().SpecFor(0)[0].Label(), "layer 0 conv [3, 96]");
  EXPECT_EQ(model->layout().SpecFor(0)[5].Label(), "layer 2 ssm [16, 96]");
  EXPECT_EQ(model->layout().SpecFor(0)[6].Label(), "hidden [48]");
  EXPECT_EQ(model->info().architecture, "mamba");
  EXPECT_EQ(model->info().end_of_text_ids, std::vector<TokenId>{0});
  uint64_t elements = 0;
  for (const auto& tensor : model_files->tensors().all())
    elements += static_cast<uint64_t>(tensor.elements());
  EXPECT_EQ(model->info().parameters, elements);
}

TEST(Mamba1, AnUnknownArchitectureIsRefusedWithTheKnownOnes) {
  const auto [kind, message] =
      FailureWithConfig(R"("model_type": "mamba")", R"("model_type": "transformer")");
  EXPECT_EQ(kind, ErrorKind::kUnsupported);
  EXPECT_THAT(message, HasSubstr("found \"transformer\""));
  EXPECT_THAT(message, HasSubstr("mamba"));
}

TEST(Mamba1, ConfigsThatDoNotFitTheTensorsAreRefused) {
  EXPECT_THAT(FailureWithConfig(R"("state_size": 16)", R"("state_size": 17)").second,
              HasSubstr("x_proj.weight"));
  EXPECT_THAT(FailureWithConfig(R"("vocab_size": 160)", R"("vocab_size": 161)").second,
              HasSubstr("embeddings"));
  EXPECT_THAT(FailureWithConfig(R"("num_hidden_layers": 3)", R"("num_hidden_layers": 4)").second,
              HasSubstr("backbone.layers.3."));
  EXPECT_THAT(FailureWithConfig(R"("use_bias": false)", R"("use_bias": true)").second,
              HasSubstr("in_proj.bias"));
}

TEST(Mamba1, AbsurdConfigsAreRefusedByFieldAndRange) {
  EXPECT_THAT(FailureWithConfig(R"("hidden_size": 48)", R"("hidden_size": 1000000000)").second,
              HasSubstr("hidden_size: expected an integer from 1 to 1048576, found 1000000000"));
  EXPECT_THAT(FailureWithConfig(R"("num_hidden_layers": 3)", R"("num_hidden_layers": -3)").second,
              HasSubstr("num_hidden_layers"));
  EXPECT_THAT(FailureWithConfig(R"("conv_kernel": 4)", R"("conv_kernel": "four")").second,
              HasSubstr("expected an integer, found a string"));
  EXPECT_THAT(FailureWithConfig(R"("intermediate_size": 96)", R"("intermediate_size": 97)").second,
              HasSubstr("expected expand * hidden_size = 96, found 97"));
  EXPECT_EQ(FailureWithConfig(R"("hidden_act": "silu")", R"("hidden_act": "relu")").first,
            ErrorKind::kUnsupported);
}

TEST(Mamba1, AWeightOfAnotherElementTypeIsRefused) {
  TemporaryDirectory folder;
  folder.Write("config.json", ReadText(kMamba / "config.json"));
  std::string weights = ReadText(kMamba / "model.safetensors");
  // The header is JSON text: F32 and I32 have the same size.
  const size_t tensor = weights.find("backbone.layers.1.mixer.in_proj.weight");
  weights.replace(weights.find("F32", tensor), 3, "I32");
  folder.Write("model.safetensors", weights);
  const auto [kind, message] = FailureOf(folder.path());
  EXPECT_EQ(kind, ErrorKind::kUnsupported);
  EXPECT_THAT(message, HasSubstr("backbone.layers.1.mixer.in_proj.weight"));
  EXPECT_THAT(message, HasSubstr("I32"));
}

}  // namespace
}  // namespace statelib::model
