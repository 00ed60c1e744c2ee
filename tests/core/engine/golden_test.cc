// SPDX-License-Identifier: Apache-2.0
// Parity with what another implementation recorded (tests/golden/README.md). Every comparison
// prints the error it saw.
#include "core/engine/golden.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <utility>

#include "core/base/error.h"
#include "tests/core/engine/tiny_models.h"
#include "tests/loose_tensors.h"
#include "tests/temporary_directory.h"

namespace statelib::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct GoldenCase {
  std::string model;    // a folder of tests/golden, or "demo"
  std::string backend;  // "cpu" or "reference"
};

std::ostream& operator<<(std::ostream& out, const GoldenCase& golden) {
  return out << golden.model << " on " << golden.backend;
}

std::vector<GoldenCase> Cases() {
  std::vector<GoldenCase> cases = {{"demo", "cpu"}};
  for (const char* model : {"mamba", "mamba_wide", "mamba_original", "mamba_gguf", "mamba2",
                            "mamba2_original", "mamba2_gguf", "falcon_mamba"}) {
    cases.push_back({model, "cpu"});
    cases.push_back({model, "reference"});
  }
  return cases;
}

std::filesystem::path FolderOf(const std::string& model) {
  return model == "demo" ? DemoModel() : GoldenFolder(model);
}

std::unique_ptr<Runtime> Open(const std::string& model, const std::string& backend) {
  RuntimeOptions options;
  options.backend.name = backend;
  // Golden values of block types are those of the decoded weights.
  options.weights = "f32";
  const auto folder = FolderOf(model);
  return Runtime::OpenWithoutTokenizer(model.ends_with("_gguf") ? folder / "model.gguf" : folder,
                                       options);
}

class GoldenTest : public testing::TestWithParam<GoldenCase> {};

TEST_P(GoldenTest, LogitsCachesAndGreedyTokensAreReproduced) {
  const auto runtime = Open(GetParam().model, GetParam().backend);
  const GoldenReport report =
      CompareWithGolden(*runtime, FolderOf(GetParam().model) / "golden.safetensors");
  double logits = 0, caches = 0;
  for (const GoldenError& error : report.errors) {
    double& largest = error.what.starts_with("layer") ? caches : logits;
    largest = std::max(largest, error.largest);
    EXPECT_LE(error.largest, error.allowed) << error.what;
  }
  std::printf("%s: largest error of logits %.3g, of caches %.3g; greedy tokens %d of %d\n",
              GetParam().model.c_str(), logits, caches,
              static_cast<int>(report.greedy_tokens_matched),
              static_cast<int>(report.greedy_tokens));
  // Logits or log-probabilities, and a convolution window and a recurrent state for every layer.
  EXPECT_GT(report.errors.size(), 2 * static_cast<size_t>(runtime->info().layers));
  EXPECT_GT(report.greedy_tokens, 0u);
  EXPECT_THAT(report.unknown, IsEmpty());
  EXPECT_TRUE(report.passed());
}

TEST_P(GoldenTest, TheLongerPromptIsTheSameInEveryCut) {
  const auto longer = LongGoldenOf(FolderOf(GetParam().model) / "golden.safetensors");
  if (!std::filesystem::exists(longer)) return;  // hybrids and Mamba-2 have one
  const uint64_t seed = std::random_device()();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  const auto runtime = Open(GetParam().model, GetParam().backend);
  const GoldenReport report = CompareInCuts(*runtime, longer, 4, seed);
  EXPECT_TRUE(report.passed());
  EXPECT_EQ(report.cuts, 4u);
  EXPECT_EQ(report.cuts_that_differ, 0u);
  EXPECT_EQ(report.errors.size(), 2u);  // the last logits and the log-probabilities
  EXPECT_EQ(report.greedy_tokens_matched, 24u);
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenTest, testing::ValuesIn(Cases()), [](const auto& golden) {
  return golden.param.model + "_" + golden.param.backend;
});

/// The golden file of a model, changed.
class ChangedGolden : public testing::Test {
 protected:
  GoldenReport Compare(const std::string& model, const std::function<void(LooseTensors&)>& change,
                       const GoldenOptions& options = {}) {
    LooseTensors tensors = ReadLoose(GoldenFolder(model) / "golden.safetensors");
    change(tensors);
    const auto path = folder_.path() / "golden.safetensors";
    WriteLoose(path, tensors);
    return CompareWithGolden(*Open(model, "cpu"), path, options);
  }

  const TemporaryDirectory folder_;
};

TEST_F(ChangedGolden, AnErrorBeyondTheToleranceFails) {
  EXPECT_FALSE(Compare("mamba", [](LooseTensors&) {}, {.logits_tolerance = 1e-12}).passed());
  EXPECT_FALSE(Compare("mamba", [](LooseTensors&) {}, {.cache_tolerance = 1e-12}).passed());
}

TEST_F(ChangedGolden, NotANumberFailsWhereverItStands) {
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    for (const char* name : {"logits", "cache.0.conv_states.0", "cache.2.recurrent_states.0"}) {
      LooseTensors whole = ReadLoose(GoldenFolder("mamba") / "golden.safetensors");
      const size_t elements = Named(whole, name).bytes.size() / sizeof(float);
      for (const size_t at : {size_t{0}, elements / 2, elements - 1}) {
        const GoldenReport report = Compare("mamba", [&](LooseTensors& tensors) {
          StoreLittle(value, Named(tensors, name).bytes.data() + at * sizeof(float));
        });
        EXPECT_FALSE(report.passed()) << name << " " << at;
        EXPECT_THAT(report.not_finite, ElementsAre(name));
      }
    }
  }
}

TEST_F(ChangedGolden, AFileWithNothingToCompareFails) {
  const GoldenReport report = Compare("mamba", [](LooseTensors& tensors) {
    std::erase_if(tensors, [](const LooseTensor& tensor) { return tensor.name != "input_ids"; });
  });
  EXPECT_FALSE(report.compared());
  EXPECT_FALSE(report.passed());
}

TEST_F(ChangedGolden, PartsOfAStateThatTheModelDoesNotHaveFailAndUnknownTensorsAreNamed) {
  for (const char* name : {"cache.1.keys", "cache.1.values", "cache.0.shift_states.1",
                           "cache.3.conv_states.0", "cache.0.recurrent_states.1"}) {
    const GoldenReport report = Compare(
        "mamba", [&](LooseTensors& tensors) { tensors.push_back(FloatTensor(name, {1}, {0})); });
    EXPECT_FALSE(report.passed()) << name;
    EXPECT_THAT(report.without_place, ElementsAre(name));
  }
  for (const char* name : {"attention_mask", "cache", "cache.x.keys", "cache.99999999999.keys"}) {
    const GoldenReport report = Compare(
        "mamba", [&](LooseTensors& tensors) { tensors.push_back(FloatTensor(name, {1}, {0})); });
    EXPECT_TRUE(report.passed()) << name;
    EXPECT_THAT(report.unknown, ElementsAre(name));
  }
}

TEST_F(ChangedGolden, APartOfAStateOfAnotherShapeIsRefused) {
  EXPECT_THROW(Compare("mamba",
                       [](LooseTensors& tensors) {
                         std::swap(Named(tensors, "cache.0.recurrent_states.0").shape[1],
                                   Named(tensors, "cache.0.recurrent_states.0").shape[2]);
                       }),
               Error);
  const auto runtime = Open("mamba", "cpu");
  EXPECT_THROW(CompareWithGolden(*runtime, GoldenFolder("mamba_wide") / "golden.safetensors"),
               Error);
}

/// A golden model whose tensors and configuration are changed.
std::unique_ptr<Runtime> OpenChanged(const TemporaryDirectory& folder, const std::string& golden,
                                     const std::function<void(LooseTensors&)>& change,
                                     const std::vector<model_files::ConfigFact>& facts = {}) {
  std::filesystem::copy_file(GoldenFolder(golden) / "config.json", folder.path() / "config.json");
  LooseTensors tensors = ReadLoose(GoldenFolder(golden) / "model.safetensors");
  change(tensors);
  WriteLoose(folder.path() / "model.safetensors", tensors);
  RuntimeOptions options;
  options.config_facts = facts;
  return Runtime::OpenWithoutTokenizer(folder.path(), options);
}

TEST(Golden, LargeLogitsAreJudgedRelativeToTheLargest) {
  // The head's weights times a power of two: every logit and every error are that much larger.
  const float factor = 4096;
  const TemporaryDirectory folder;
  const auto runtime = OpenChanged(folder, "mamba_wide", [&](LooseTensors& tensors) {
    Named(tensors, "lm_head.weight").Map([&](float value) { return factor * value; });
  });
  LooseTensors golden = ReadLoose(GoldenFolder("mamba_wide") / "golden.safetensors");
  Named(golden, "logits").Map([&](float value) { return factor * value; });
  WriteLoose(folder.path() / "golden.safetensors", golden);
  const GoldenReport report = CompareWithGolden(*runtime, folder.path() / "golden.safetensors");
  EXPECT_GT(report.errors.at(0).largest, 1e-4);
  EXPECT_GT(report.errors.at(0).allowed, 0.1);
  EXPECT_TRUE(report.passed());
  // An error of a thousandth of the largest logit is too much all the same.
  const double largest = report.errors.at(0).allowed / 1e-4;
  Named(golden, "logits").Map([&, first = true](float value) mutable {
    return std::exchange(first, false) ? value + static_cast<float>(largest / 1000) : value;
  });
  WriteLoose(folder.path() / "golden.safetensors", golden);
  EXPECT_FALSE(CompareWithGolden(*runtime, folder.path() / "golden.safetensors").passed());
}

TEST(Golden, WhatIsComputedButNotRecordedMustBeFiniteToo) {
  const TemporaryDirectory folder;
  const auto runtime = OpenChanged(folder, "mamba", [](LooseTensors& tensors) {
    Named(tensors, "backbone.layers.1.mixer.D").Map([](float) {
      return std::numeric_limits<float>::quiet_NaN();
    });
  });
  LooseTensors golden = ReadLoose(GoldenFolder("mamba") / "golden.safetensors");
  std::erase_if(golden, [](const LooseTensor& tensor) {
    return tensor.name != "input_ids" && tensor.name != "cache.0.recurrent_states.0";
  });
  WriteLoose(folder.path() / "golden.safetensors", golden);
  const GoldenReport report = CompareWithGolden(*runtime, folder.path() / "golden.safetensors");
  EXPECT_TRUE(report.errors.at(0).passed());  // the first layer's part is sound
  EXPECT_THAT(report.not_finite, testing::IsSupersetOf({"logits", "layer 2 conv", "hidden"}));
  EXPECT_FALSE(report.passed());
}

TEST(Golden, AKernelOfOneWithCachesIsChecked) {
  // transformers records a window of one column, which no later token sees.
  const TemporaryDirectory folder;
  const auto runtime =
      OpenChanged(folder, "mamba",
                  [](LooseTensors& tensors) {
                    for (LooseTensor& tensor : tensors) {
                      if (!tensor.name.ends_with("conv1d.weight")) continue;
                      const auto channels = tensor.shape[0];
                      tensor = FloatTensor(tensor.name, {channels, 1, 1},
                                           std::vector<float>(static_cast<size_t>(channels), 0.5f));
                    }
                  },
                  {{"conv_kernel", "1"}});
  const std::vector<TokenId> prompt = {1, 2, 3};
  State state = runtime->Empty();
  runtime->Advance(state, prompt);
  LooseTensors golden = ReadLoose(GoldenFolder("mamba") / "golden.safetensors");
  std::erase_if(golden, [](const LooseTensor& tensor) { return tensor.name != "input_ids"; });
  golden[0].shape = {3};
  golden[0].bytes.resize(3 * sizeof(int64_t));
  for (size_t i = 0; i < 3; ++i)
    StoreLittle(int64_t{prompt[i]}, golden[0].bytes.data() + i * sizeof(int64_t));
  golden.push_back(FloatTensor("cache.0.conv_states.0", {1, 96, 1}, std::vector<float>(96, 0.25f)));
  // The recurrent state is [state, channel] here, [channel, state] there.
  const std::vector<Bytes> segments = runtime->Snapshot(state);
  const SegmentSpec spec = runtime->SpecFor(0)[1];
  const auto states = static_cast<size_t>(spec.shape[0]),
             channels = static_cast<size_t>(spec.shape[1]);
  std::vector<float> recurrent(states * channels);
  for (size_t n = 0; n < states; ++n)
    for (size_t e = 0; e < channels; ++e)
      recurrent[e * states + n] =
          LoadLittle<float>(segments[1].data() + (n * channels + e) * sizeof(float));
  golden.push_back(
      FloatTensor("cache.0.recurrent_states.0", {1, spec.shape[1], spec.shape[0]}, recurrent));
  WriteLoose(folder.path() / "golden.safetensors", golden);
  const GoldenReport report = CompareWithGolden(*runtime, folder.path() / "golden.safetensors");
  ASSERT_EQ(report.errors.size(), 1u);
  EXPECT_EQ(report.errors[0].what, "layer 0 ssm");
  EXPECT_EQ(report.errors[0].largest, 0);
  EXPECT_TRUE(report.passed());
}

}  // namespace
}  // namespace statelib::engine
