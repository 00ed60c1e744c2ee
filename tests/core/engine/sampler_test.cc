// SPDX-License-Identifier: Apache-2.0
#include "core/engine/sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "core/base/error.h"

namespace statelib::engine {
namespace {

const std::vector<float> kLogits = {1.0f, 3.0f, 2.0f, 3.0f, -1.0f};

/// How often each token is chosen in `draws` draws, each from the same logits.
std::map<TokenId, int> Frequencies(const SamplingOptions& options, int draws = 20000) {
  Sampler sampler(options, kLogits.size());
  std::map<TokenId, int> counts;
  for (int i = 0; i < draws; ++i) ++counts[sampler.Choose(kLogits)];
  return counts;
}

TEST(Sampler, GreedyTakesTheLargestAndTheSmallestIdOnTies) {
  EXPECT_EQ(Sampler({}, kLogits.size()).Choose(kLogits), 1);
}

TEST(Sampler, IdsWithoutATokenAreNeverChosen) { EXPECT_EQ(Sampler({}, 1).Choose(kLogits), 0); }

TEST(Sampler, NotANumberIsNeverChosenAndNothingElseIsAnError) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(Sampler({}, 3).Choose(std::vector<float>{nan, -2.0f, nan}), 1);
  EXPECT_THROW(Sampler({}, 2).Choose(std::vector<float>{nan, nan}), Error);
}

TEST(Sampler, DrawsFollowTheSoftmaxAtTheTemperature) {
  const auto counts = Frequencies({.temperature = 2.0, .seed = 5});
  double total = 0;
  for (const float logit : kLogits) total += std::exp(logit / 2);
  for (size_t i = 0; i < kLogits.size(); ++i) {
    EXPECT_NEAR(counts.at(static_cast<TokenId>(i)) / 20000.0, std::exp(kLogits[i] / 2) / total,
                0.015)
        << i;
  }
}

TEST(Sampler, TheSameSeedDrawsTheSameAndAnotherSeedDoesNot) {
  const auto draw = [](uint64_t seed) {
    Sampler sampler({.temperature = 1.0, .seed = seed}, kLogits.size());
    std::vector<TokenId> drawn;
    for (int i = 0; i < 50; ++i) drawn.push_back(sampler.Choose(kLogits));
    return drawn;
  };
  EXPECT_EQ(draw(7), draw(7));
  EXPECT_NE(draw(7), draw(8));
}

TEST(Sampler, TopKKeepsTheLikeliest) {
  const auto counts = Frequencies({.temperature = 1.0, .top_k = 2});
  EXPECT_EQ(counts.size(), 2u);
  EXPECT_TRUE(counts.contains(1) && counts.contains(3));
}

TEST(Sampler, TopPKeepsTheFewestThatReachTheProbability) {
  // Softmax: 0.38, 0.38, 0.14, …; two reach 0.7, three reach 0.8.
  EXPECT_EQ(Frequencies({.temperature = 1.0, .top_p = 0.7}).size(), 2u);
  EXPECT_EQ(Frequencies({.temperature = 1.0, .top_p = 0.8}).size(), 3u);
  EXPECT_EQ(Frequencies({.temperature = 1.0, .top_p = 1e-9}).size(), 1u);
}

TEST(Sampler, MinPKeepsWhatIsLikelyEnoughRelativeToTheLikeliest) {
  // Relative to the likeliest: 1, 1, 0.37, 0.14, 0.018.
  EXPECT_EQ(Frequencies({.temperature = 1.0, .min_p = 0.2}).size(), 3u);
  EXPECT_EQ(Frequencies({.temperature = 1.0, .min_p = 0.1}).size(), 4u);
}

TEST(Sampler, TheRepetitionPenaltyLowersTokensThatWereSeen) {
  Sampler sampler({.repetition_penalty = 2.0}, kLogits.size());
  EXPECT_EQ(sampler.Choose(kLogits), 1);  // 3 -> 1.5 from now on
  EXPECT_EQ(sampler.Choose(kLogits), 3);
  EXPECT_EQ(sampler.Choose(kLogits), 2);
  Sampler after_prompt({.repetition_penalty = 2.0}, kLogits.size());
  after_prompt.Observe(std::vector<TokenId>{1, 3});
  EXPECT_EQ(after_prompt.Choose(kLogits), 2);
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
  };
  for (const auto& [options, name] : broken) {
    try {
      Sampler sampler(options, 5);
      ADD_FAILURE() << name << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
      EXPECT_THAT(error.what(), testing::HasSubstr(name));
    }
  }
}

}  // namespace
}  // namespace statelib::engine
