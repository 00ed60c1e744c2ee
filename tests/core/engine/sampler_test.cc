// SPDX-License-Identifier: Apache-2.0
#include "core/engine/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "kernels/reference/sample.h"

namespace statelib::engine {
namespace {

const std::vector<float> kLogits = {1.0f, 3.0f, 2.0f, 3.0f, -1.0f};

/// The next token by the reference backend.
TokenId Choose(Sampler& sampler, const std::vector<float>& logits) {
  return sampler.Accept(kernels::reference::Sample(logits, sampler.Row()));
}

std::vector<TokenId> Draw(const SamplingOptions& options, int draws = 50) {
  Sampler sampler(options);
  std::vector<TokenId> drawn;
  for (int i = 0; i < draws; ++i) drawn.push_back(Choose(sampler, kLogits));
  return drawn;
}

TEST(Sampler, GreedyTakesTheLargestAndTheSmallestIdOnTies) {
  EXPECT_EQ(Draw({}, 3), (std::vector<TokenId>{1, 1, 1}));
}

TEST(Sampler, NothingThatIsANumberIsAnError) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Sampler sampler({});
  EXPECT_EQ(Choose(sampler, {nan, -2.0f, nan}), 1);
  try {
    Choose(sampler, {nan, nan});
    ADD_FAILURE() << "a token was chosen";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
  }
}

TEST(Sampler, TheSameSeedDrawsTheSameAndAnotherSeedDoesNot) {
  EXPECT_EQ(Draw({.temperature = 1.0, .seed = 7}), Draw({.temperature = 1.0, .seed = 7}));
  EXPECT_NE(Draw({.temperature = 1.0, .seed = 7}), Draw({.temperature = 1.0, .seed = 8}));
}

TEST(Sampler, AChoiceBelongsToItsPositionInTheAnswerAndCanBeRepeatedAlone) {
  const SamplingOptions options = {.temperature = 1.0, .seed = 7};
  const std::vector<TokenId> drawn = Draw(options);
  kernels::SampleRow row = Sampler(options).Row();
  EXPECT_EQ(row.position, 0u);
  for (size_t i = drawn.size(); i-- > 0;) {
    row.position = i;
    EXPECT_EQ(kernels::reference::Sample(kLogits, row).id, drawn[i]);
  }
}

TEST(Sampler, AnyNumberInRangeIsOneThatTheBackendTakes) {
  for (const double extreme : {1e-300, 1e300}) {
    const kernels::SampleRow row =
        Sampler({.repetition_penalty = extreme, .temperature = extreme}).Row();
    EXPECT_TRUE(std::isnormal(row.temperature) && std::isnormal(row.repetition_penalty));
  }
  // Next to no temperature is greedy but for ties.
  EXPECT_EQ(Draw({.temperature = 1e-300, .biases = {{3, 0.01f}}}), std::vector<TokenId>(50, 3));
}

TEST(Sampler, TheRepetitionPenaltyLowersTokensThatWereSeen) {
  Sampler sampler({.repetition_penalty = 2.0});
  EXPECT_EQ(Choose(sampler, kLogits), 1);  // 3 -> 1.5 from now on
  EXPECT_EQ(Choose(sampler, kLogits), 3);
  EXPECT_EQ(Choose(sampler, kLogits), 2);
  Sampler after_prompt({.repetition_penalty = 2.0});
  after_prompt.Observe(std::vector<TokenId>{1, 3});
  EXPECT_EQ(Choose(after_prompt, kLogits), 2);
}

TEST(Sampler, PresenceAndFrequencyPenaltiesCountTheAnswerAlone) {
  Sampler present({.presence_penalty = 0.5}), frequent({.frequency_penalty = 0.6});
  for (Sampler* sampler : {&present, &frequent}) sampler->Observe(std::vector<TokenId>{1, 1, 3});
  // Once off, and no more: 2.5 and 2.5 stay above 2.
  for (const TokenId expected : {1, 3, 1, 1, 1}) EXPECT_EQ(Choose(present, kLogits), expected);
  // 3, 3, 2.4, 2.4, 2 (with 1.8, 1.8), 1.8, 1.8, 1.4 (with 1.2, 1.2).
  for (const TokenId expected : {1, 3, 1, 3, 2, 1, 3, 2})
    EXPECT_EQ(Choose(frequent, kLogits), expected);
}

TEST(Sampler, BiasesAreAddedToTheLogits) {
  EXPECT_EQ(Draw({.biases = {{4, 9.0f}, {1, -1.0f}}}, 1), std::vector<TokenId>{4});
}

TEST(Sampler, OptionsOutsideTheirRangesAreRefusedByName) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::pair<SamplingOptions, std::string>> broken = {
      {{.temperature = -1}, "temperature"},
      {{.temperature = nan}, "temperature"},
      {{.top_p = 0}, "top-p"},
      {{.top_p = 1.5}, "top-p"},
      {{.min_p = -0.1}, "min-p"},
      {{.repetition_penalty = 0}, "repetition-penalty"},
      {{.presence_penalty = 101}, "presence-penalty"},
      {{.frequency_penalty = nan}, "frequency-penalty"},
      {{.biases = {{1, std::numeric_limits<float>::infinity()}}}, "bias"},
      {{.biases = {{1, 2.0f}, {1, 3.0f}}}, "bias"},
  };
  for (const auto& [options, name] : broken) {
    try {
      Sampler sampler(options);
      ADD_FAILURE() << name << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
      EXPECT_THAT(error.what(), testing::HasSubstr(name));
    }
  }
}

}  // namespace
}  // namespace statelib::engine
