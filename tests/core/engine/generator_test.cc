// SPDX-License-Identifier: Apache-2.0
#include "core/engine/generator.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/core/engine/tiny_models.h"

namespace statelib::engine {
namespace {

class GeneratorTest : public testing::Test {
 protected:
  std::unique_ptr<Runtime> runtime_ = Runtime::Open(DemoModel(), {});
  std::vector<TokenId> prompt_ =
      runtime_->tokenizer().Encode("Once upon a time there was a small boat.");

  Generation Run(const GenerateOptions& options, State& state) {
    return Generate(*runtime_, state, prompt_, options);
  }

  /// The state must be the one that reading the prompt and `tokens` gives.
  void ExpectStateOf(const State& state, const std::vector<TokenId>& tokens) {
    State expected = runtime_->Empty();
    runtime_->Advance(expected, prompt_);
    runtime_->Advance(expected, tokens);
    EXPECT_EQ(state.history(), expected.history());
    EXPECT_TRUE(runtime_->Snapshot(state) == runtime_->Snapshot(expected));
  }
};

TEST_F(GeneratorTest, StreamsExactlyItsTextAndTheStateHasReadExactlyItsTokens) {
  std::string streamed;
  GenerateOptions options;
  options.tokens_max = 40;
  options.on_text = [&](std::string_view piece) { streamed += piece; };
  State state = runtime_->Empty();
  const Generation generation = Run(options, state);
  EXPECT_EQ(streamed, generation.text);
  EXPECT_EQ(generation.text, runtime_->tokenizer().Decode(generation.tokens));
  EXPECT_EQ(generation.prompt_tokens, prompt_.size());
  ExpectStateOf(state, generation.tokens);
}

TEST_F(GeneratorTest, FromAStoredStateGivesTheSameAnswerAsFromThePromptInOneGo) {
  GenerateOptions options;
  options.tokens_max = 20;
  options.sampling = {.temperature = 0.8, .top_k = 50, .seed = 3};
  State whole = runtime_->Empty();
  const Generation expected = Run(options, whole);
  State read = runtime_->Empty();
  runtime_->Advance(read, prompt_);
  const std::vector<Bytes> stored = runtime_->Snapshot(read);
  State restored =
      runtime_->Restore(read.history(), std::vector<ByteSpan>(stored.begin(), stored.end()));
  const Generation generation = Generate(*runtime_, restored, {}, options);
  EXPECT_EQ(generation.tokens, expected.tokens);
  EXPECT_EQ(generation.prompt_tokens, 0u);
}

TEST_F(GeneratorTest, ChoicesAreTheSameForStatesTogetherAndOnTheReferenceBackend) {
  RuntimeOptions options;
  options.backend.name = "reference";
  const auto reference = Runtime::Open(DemoModel(), options);
  std::vector<State> states, same;
  std::vector<kernels::SampleRow> rows;
  for (uint64_t i = 0; i < 5; ++i) {
    const auto tokens = std::span(prompt_).first(prompt_.size() - i);
    runtime_->Advance(states.emplace_back(runtime_->Empty()), tokens);
    reference->Advance(same.emplace_back(reference->Empty()), tokens);
    rows.push_back({.temperature = 2, .top_p = 0.9, .seed = 4, .position = i});
    rows.back().log_probabilities = 3;
  }
  const auto results = ChoicesOf(*runtime_, states, rows);
  EXPECT_EQ(ChoicesOf(*reference, same, rows), results);
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(ChoicesOf(*runtime_, std::span(states).subspan(i, 1), std::span(rows).subspan(i, 1)),
              std::vector{results[i]});
  }
}

TEST_F(GeneratorTest, AStopTextEndsTheAnswerAndTheStateBeforeIt) {
  GenerateOptions options;
  options.tokens_max = 40;
  State free = runtime_->Empty();
  const std::string text = Run(options, free).text;
  ASSERT_GT(text.size(), 12u);
  // Stop texts of every length from within the answer: some lie inside a token, some over several.
  for (size_t length = 1; length <= 10; ++length) {
    const std::string stop = text.substr(text.size() / 2, length);
    options.stop = {stop};
    State state = runtime_->Empty();
    const Generation generation = Run(options, state);
    EXPECT_EQ(generation.reason, StopReason::kStopText);
    EXPECT_EQ(generation.text, text.substr(0, text.find(stop))) << '"' << stop << '"';
    const std::string kept = runtime_->tokenizer().Decode(generation.tokens);
    EXPECT_TRUE(generation.text.starts_with(kept))
        << "kept \"" << kept << "\" of \"" << generation.text << '"';
    ExpectStateOf(state, generation.tokens);
  }
}

TEST_F(GeneratorTest, EndsAtTheTokenLimitAndAfterAnEndOfText) {
  GenerateOptions options;
  options.tokens_max = 3;
  State state = runtime_->Empty();
  const Generation limited = Run(options, state);
  EXPECT_EQ(limited.reason, StopReason::kTokensMax);
  EXPECT_EQ(limited.tokens.size(), 3u);
  options.tokens_max = 0;
  State none = runtime_->Empty();
  EXPECT_EQ(Run(options, none).text, "");
  ExpectStateOf(none, {});
}

TEST_F(GeneratorTest, AStateThatIsDroppedNeedNotReadTheLastToken) {
  GenerateOptions options;
  options.tokens_max = 5;
  State kept = runtime_->Empty(), dropped = runtime_->Empty();
  const Generation expected = Run(options, kept);
  options.keep_state = false;
  const Generation generation = Run(options, dropped);
  EXPECT_EQ(generation.tokens, expected.tokens);
  EXPECT_EQ(generation.text, expected.text);
  EXPECT_EQ(dropped.token_count() + 1, kept.token_count());
}

TEST_F(GeneratorTest, CancellingEndsTheAnswerAndKeepsWhatWasGenerated) {
  CancelFlag cancel;
  GenerateOptions options;
  options.tokens_max = 1000;
  options.stop_at_end_of_text = false;
  options.cancel = &cancel;
  int pieces = 0;
  options.on_text = [&](std::string_view) {
    if (++pieces == 5) cancel.Cancel();
  };
  State state = runtime_->Empty();
  const Generation generation = Run(options, state);
  EXPECT_EQ(generation.reason, StopReason::kCancelled);
  EXPECT_LT(generation.tokens.size(), 1000u);
  ExpectStateOf(state, generation.tokens);
}

TEST_F(GeneratorTest, NothingCannotBeContinued) {
  State state = runtime_->Empty();
  EXPECT_THROW(Generate(*runtime_, state, {}, {}), Error);
}

}  // namespace
}  // namespace statelib::engine
