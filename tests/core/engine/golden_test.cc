// SPDX-License-Identifier: Apache-2.0
// Parity with what another implementation recorded (tests/golden/README.md). Every comparison
// prints the error it saw.
#include "core/engine/golden.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "core/base/error.h"
#include "core/checkpoint/safetensors_writer.h"
#include "tests/core/engine/tiny_models.h"
#include "tests/temporary_directory.h"

namespace statelib::engine {
namespace {

struct GoldenCase {
  std::string model;    // a folder of tests/golden, or "demo"
  std::string backend;  // "cpu" or "reference"
};

std::ostream& operator<<(std::ostream& out, const GoldenCase& golden) {
  return out << golden.model << " on " << golden.backend;
}

std::vector<GoldenCase> Cases() {
  std::vector<GoldenCase> cases = {{"demo", "cpu"}};
  for (const char* model :
       {"mamba", "mamba_wide", "mamba_original", "mamba2", "mamba2_original", "falcon_mamba"}) {
    cases.push_back({model, "cpu"});
    cases.push_back({model, "reference"});
  }
  return cases;
}

class GoldenTest : public testing::TestWithParam<GoldenCase> {};

TEST_P(GoldenTest, LogitsCachesAndGreedyTokensAreReproduced) {
  const std::filesystem::path folder =
      GetParam().model == "demo" ? DemoModel() : GoldenFolder(GetParam().model);
  RuntimeOptions options;
  options.backend = GetParam().backend;
  const auto runtime = Runtime::OpenWithoutTokenizer(folder, options);
  const GoldenReport report =
      CompareWithGolden(*runtime, folder / "golden.safetensors", 1e-4, 1e-5);
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
  EXPECT_TRUE(report.passed());
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenTest, testing::ValuesIn(Cases()), [](const auto& golden) {
  return golden.param.model + "_" + golden.param.backend;
});

TEST(Golden, AnErrorBeyondTheToleranceFails) {
  const auto folder = GoldenFolder("mamba");
  const auto runtime = Runtime::OpenWithoutTokenizer(folder, {});
  EXPECT_FALSE(CompareWithGolden(*runtime, folder / "golden.safetensors", 1e-12, 1e-5).passed());
}

TEST(Golden, AFileOfAnotherModelIsRefused) {
  const auto runtime = Runtime::OpenWithoutTokenizer(GoldenFolder("mamba"), {});
  EXPECT_THROW(
      CompareWithGolden(*runtime, GoldenFolder("mamba_wide") / "golden.safetensors", 1e-4, 1e-5),
      Error);
}

}  // namespace
}  // namespace statelib::engine
