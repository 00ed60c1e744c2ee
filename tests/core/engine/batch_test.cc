// SPDX-License-Identifier: Apache-2.0
#include "core/engine/batch.h"

#include <gmock/gmock.h>

#include <deque>
#include <thread>

#include "core/base/error.h"
#include "core/engine/runtime.h"
#include "tests/core/engine/tiny_models.h"

namespace statelib::engine {
namespace {

using testing::ElementsAre;

/// Reads tokens, and notes what it is told.
class Notes : public BatchSequence {
 public:
  Notes(Runtime& runtime, std::vector<TokenId> tokens, Wanted wanted = Wanted::kState)
      : state_(runtime.Empty()), tokens_(std::move(tokens)), wanted_(wanted) {}

  State& state() override { return state_; }
  Wanted wanted() const override { return wanted_; }
  size_t tokens_left() const override { return tokens_.size() - done_; }
  std::span<const TokenId> Next(size_t count) override {
    return std::span(tokens_).subspan(done_, count);
  }
  void Took(size_t count, const Given& given) override {
    done_ += count;
    took.push_back(count);
    all_logits.insert(all_logits.end(), given.logits.begin(), given.logits.end());
    if (tokens_left() == 0) wanted_ = Wanted::kState;
    if (throws) throw Error(ErrorKind::kIo, "no room");
  }

  std::vector<size_t> took;
  std::vector<float> all_logits;
  bool throws = false;

 private:
  State state_;
  std::vector<TokenId> tokens_;
  Wanted wanted_;
  size_t done_ = 0;
};

class BatchTest : public testing::Test {
 protected:
  std::vector<TokenId> Tokens(size_t count, uint32_t seed) const {
    return RandomTokens(count, runtime_->info().vocabulary_size, seed);
  }
  std::vector<Bytes> Alone(const std::vector<TokenId>& tokens) const {
    State state = runtime_->Empty();
    runtime_->Advance(state, tokens);
    return runtime_->Snapshot(state);
  }

  const std::unique_ptr<Runtime> runtime_ =
      Runtime::OpenWithoutTokenizer(GoldenFolder("mamba"), {});
  const std::unique_ptr<Batch> batch_ = runtime_->MakeBatch();
  const size_t rows_ = runtime_->rows_max();
};

TEST_F(BatchTest, WithoutASequenceThereIsNothingToDo) { EXPECT_FALSE(batch_->Step()); }

TEST_F(BatchTest, ASequenceLeavesWhenItHasReadEverything) {
  Notes one(*runtime_, Tokens(rows_ + 7, 1));
  batch_->Add(one);
  EXPECT_TRUE(batch_->Step());
  EXPECT_TRUE(batch_->Step());
  EXPECT_FALSE(batch_->Step());
  EXPECT_THAT(one.took, ElementsAre(rows_, 7));
  EXPECT_EQ(runtime_->Snapshot(one.state()), Alone(Tokens(rows_ + 7, 1)));
}

TEST_F(BatchTest, WhoHasLittleToReadHasItAllAndTheOthersShareTheRest) {
  Notes decoding(*runtime_, Tokens(1, 1)), some(*runtime_, Tokens(20, 2)),
      long_one(*runtime_, Tokens(500, 3)), other(*runtime_, Tokens(500, 4));
  for (Notes* const sequence : {&long_one, &decoding, &other, &some}) batch_->Add(*sequence);
  batch_->Step();
  EXPECT_THAT(decoding.took, ElementsAre(1));
  EXPECT_THAT(some.took, ElementsAre(20));
  EXPECT_EQ(long_one.took[0] + other.took[0], rows_ - 21);
  EXPECT_LE(long_one.took[0] > other.took[0] ? long_one.took[0] - other.took[0]
                                             : other.took[0] - long_one.took[0],
            1u);
}

TEST_F(BatchTest, MoreSequencesThanRowsTakeTurnsAndComputeWhatEachComputesAlone) {
  std::deque<Notes> all;
  for (size_t i = 0; i < 2 * rows_ + 5; ++i)
    batch_->Add(all.emplace_back(*runtime_, Tokens(3, static_cast<uint32_t>(i))));
  size_t steps = 0;
  while (batch_->Step()) ++steps;
  EXPECT_LE(steps, 8u);  // 2.05 times as many as rows, of three tokens
  for (size_t i = 0; i < all.size(); i += 17)
    EXPECT_EQ(runtime_->Snapshot(all[i].state()), Alone(Tokens(3, static_cast<uint32_t>(i))));
}

TEST_F(BatchTest, LogitsAreThoseOfOneThatComputesAlone) {
  const auto tokens = Tokens(150, 5);
  Notes every(*runtime_, tokens, Wanted::kEveryLogits),
      last(*runtime_, tokens, Wanted::kLastLogits), none(*runtime_, Tokens(70, 6));
  for (Notes* const sequence : {&none, &every, &last}) batch_->Add(*sequence);
  while (batch_->Step()) {
  }
  const auto vocabulary = static_cast<size_t>(runtime_->info().vocabulary_size);
  std::vector<float> expected;
  State state = runtime_->Empty();
  for (const TokenId token : tokens) {
    runtime_->Advance(state, std::span(&token, 1));
    const auto logits = runtime_->Logits(state);
    expected.insert(expected.end(), logits.begin(), logits.end());
  }
  EXPECT_EQ(every.all_logits, expected);
  EXPECT_EQ(
      last.all_logits,
      std::vector<float>(expected.end() - static_cast<std::ptrdiff_t>(vocabulary), expected.end()));
  EXPECT_TRUE(none.all_logits.empty());
}

TEST_F(BatchTest, WhatOneSequenceThrowsComesOutOnceEveryOneWasTold) {
  Notes bad(*runtime_, Tokens(5, 1)), good(*runtime_, Tokens(5, 2));
  bad.throws = true;
  batch_->Add(bad);
  batch_->Add(good);
  EXPECT_THROW(batch_->Step(), Error);
  EXPECT_THAT(good.took, ElementsAre(5));
  EXPECT_EQ(good.state().token_count(), 5u);
}

TEST_F(BatchTest, ATokenOutsideTheVocabularyIsRefusedBeforeAnythingIsRead) {
  Notes bad(*runtime_, {1, 2, static_cast<TokenId>(runtime_->info().vocabulary_size)}),
      good(*runtime_, Tokens(5, 2));
  const Batch::Id id = batch_->Add(bad);
  batch_->Add(good);
  EXPECT_THROW(batch_->Step(), Error);
  EXPECT_EQ(bad.state().token_count() + good.state().token_count(), 0u);
  batch_->Remove(id);
  EXPECT_TRUE(batch_->Step());
  EXPECT_EQ(good.state().token_count(), 5u);
}

TEST_F(BatchTest, OthersAddAndRemoveWhileOneThreadSteps) {
  constexpr size_t kOfEach = 40;
  std::deque<Notes> all;
  for (size_t i = 0; i < 3 * kOfEach; ++i) all.emplace_back(*runtime_, Tokens(9, 7));
  Notes endless(*runtime_, Tokens(40'000, 8));
  batch_->Add(endless);
  {
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        for (size_t i = 0; i < kOfEach; ++i) {
          const Batch::Id id = batch_->Add(all[t * kOfEach + i]);
          if (i % 3 == 0) batch_->Remove(id);
          std::this_thread::yield();
        }
      });
    }
    for (int i = 0; i < 60; ++i) batch_->Step();
  }
  while (endless.tokens_left() > 39'000) batch_->Step();
  const std::vector<Bytes> expected = Alone(Tokens(9, 7));
  size_t finished = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].tokens_left() > 0) continue;
    EXPECT_EQ(runtime_->Snapshot(all[i].state()), expected);
    ++finished;
  }
  EXPECT_GE(finished, 3 * (kOfEach - kOfEach / 3 - 1));
}

}  // namespace
}  // namespace statelib::engine
