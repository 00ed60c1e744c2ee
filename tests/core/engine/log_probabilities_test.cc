// SPDX-License-Identifier: Apache-2.0
#include "core/engine/log_probabilities.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/engine/generator.h"
#include "tests/core/engine/tiny_models.h"

namespace statelib::engine {
namespace {

const std::vector<float> kLogits = {1.0f, 3.0f, 3.0f, -2.0f};

TEST(LogProbabilities, TheProbabilitiesOfAllTokensAddUpToOne) {
  double total = 0;
  for (TokenId id = 0; id < 4; ++id) total += std::exp(LogProbabilityOf(kLogits, id));
  EXPECT_NEAR(total, 1.0, 1e-6);
}

TEST(LogProbabilities, LargeLogitsStayFiniteAndWhatIsNoNumberIsLeftOut) {
  const std::vector<float> logits = {3e38f, std::numeric_limits<float>::quiet_NaN(), -3e38f};
  EXPECT_EQ(LogProbabilityOf(logits, 0), 0.0);
}

TEST(LogProbabilities, ThoseOfAChoiceAreThoseOfItsLogits) {
  const std::unique_ptr<Runtime> runtime = Runtime::Open(DemoModel(), {});
  State state = runtime->Empty();
  runtime->Advance(state, runtime->tokenizer().Encode("Once upon a time"));
  const std::vector<float> logits = runtime->Logits(state);
  const kernels::SampleRow row{.temperature = 3, .top_k = 7, .seed = 5, .log_probabilities = 4};
  const kernels::SampleResult result =
      ChoicesOf(*runtime, std::span(&state, 1), std::span(&row, 1)).front();
  EXPECT_NEAR(result.log_probability, LogProbabilityOf(logits, result.id), 1e-6);
  ASSERT_EQ(result.best.size(), 4u);
  for (const TokenLogProbability& token : result.best)
    EXPECT_NEAR(token.value, LogProbabilityOf(logits, token.token), 1e-6);
}

TEST(LogProbabilities, AGreedyAnswerTakesTheBestOfEveryChoiceAndIsTheSameWithoutThem) {
  const std::unique_ptr<Runtime> runtime = Runtime::Open(DemoModel(), {});
  const std::vector<TokenId> prompt = runtime->tokenizer().Encode("Once upon a time");
  GenerateOptions options;
  options.tokens_max = 12;
  State state = runtime->Empty();
  const Generation plain = Generate(*runtime, state, prompt, options);
  EXPECT_TRUE(plain.choices.empty());
  options.log_probabilities = 2;
  State again = runtime->Empty();
  const Generation generation = Generate(*runtime, again, prompt, options);
  EXPECT_EQ(generation.tokens, plain.tokens);
  ASSERT_EQ(generation.choices.size(), generation.tokens_chosen);
  for (size_t i = 0; i < generation.tokens.size(); ++i) {
    const TokenChoice& choice = generation.choices[i];
    EXPECT_EQ(choice.chosen.token, generation.tokens[i]);
    ASSERT_EQ(choice.best.size(), 2u);
    EXPECT_EQ(choice.best[0], choice.chosen);
    EXPECT_LE(choice.best[1].value, choice.best[0].value);
  }
}

}  // namespace
}  // namespace statelib::engine
