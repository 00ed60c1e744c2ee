// SPDX-License-Identifier: Apache-2.0
#include "core/engine/batch_driver.h"

#include <gmock/gmock.h>

#include <atomic>
#include <deque>
#include <optional>

#include "core/base/error.h"
#include "tests/core/engine/tiny_models.h"

namespace statelib::engine {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr milliseconds kLong{60'000};

/// Reads tokens; how many it has read can be asked from any thread.
class Counted : public BatchSequence {
 public:
  Counted(State state, std::vector<TokenId> tokens)
      : state_(std::move(state)), tokens_(std::move(tokens)) {}

  State& state() override { return state_; }
  size_t tokens_left() const override { return tokens_.size() - done; }
  std::span<const TokenId> Next(size_t count) override {
    return std::span(tokens_).subspan(done, count);
  }
  void Took(size_t count, const Given&) override {
    if (throws) throw Error(ErrorKind::kIo, "no room");
    thread = std::this_thread::get_id();
    done += count;
  }

  std::atomic<size_t> done = 0;
  std::thread::id thread;
  bool throws = false;

 private:
  State state_;
  std::vector<TokenId> tokens_;
};

class BatchDriverTest : public testing::Test {
 protected:
  std::vector<TokenId> Tokens(size_t count, uint32_t seed) const {
    return RandomTokens(count, runtime_->info().vocabulary_size, seed);
  }
  State Empty() {
    return driver_->Run([&] { return runtime_->Empty(); });
  }
  void WaitUntil(const std::function<bool()>& done) {
    while (!done()) driver_->WaitForStep(kLong);
  }

  const std::unique_ptr<Runtime> runtime_ =
      Runtime::OpenWithoutTokenizer(GoldenFolder("mamba"), {});
  std::optional<BatchDriver> driver_{std::in_place, *runtime_};
};

TEST_F(BatchDriverTest, SequencesAreReadOnItsThreadAsTheyWouldBeOnAnother) {
  Counted one(Empty(), Tokens(700, 1)), other(Empty(), Tokens(90, 2));
  driver_->Add(one);
  WaitUntil([&] { return one.tokens_left() == 0; });
  driver_->Add(other);  // wakes it up again
  WaitUntil([&] { return other.tokens_left() == 0; });
  EXPECT_NE(one.thread, std::this_thread::get_id());
  EXPECT_EQ(driver_->Run([] { return std::this_thread::get_id(); }), one.thread);
  driver_.reset();
  for (const auto& [sequence, tokens] :
       {std::pair(&one, Tokens(700, 1)), {&other, Tokens(90, 2)}}) {
    State state = runtime_->Empty();
    runtime_->Advance(state, tokens);
    EXPECT_EQ(runtime_->Snapshot(sequence->state()), runtime_->Snapshot(state));
  }
}

TEST_F(BatchDriverTest, CallsRunBetweenStepsAndTakeTurnsWithThem) {
  Counted endless(Empty(), Tokens(200'000, 1));
  const Batch::Id id = driver_->Add(endless);
  size_t before = 0;
  for (int i = 0; i < 5; ++i) {
    const auto [history, done] =
        driver_->Run([&] { return std::pair(endless.state().token_count(), endless.done.load()); });
    EXPECT_EQ(history, done) << "in the middle of a step";
    EXPECT_TRUE(i == 0 || done > before) << "a call overtook the step that was to come";
    before = done;
  }
  driver_->Remove(id);
  const size_t after = driver_->Run([&] { return endless.done.load(); });
  EXPECT_EQ(driver_->Run([&] { return endless.done.load(); }), after);
}

TEST_F(BatchDriverTest, WhatACallThrowsReachesItsCallerAndStopsNothing) {
  Counted one(Empty(), Tokens(300, 1));
  EXPECT_THROW(driver_->Run([] { throw Error(ErrorKind::kMismatch, "other segments"); }), Error);
  driver_->Add(one);
  WaitUntil([&] { return one.tokens_left() == 0; });
  driver_.reset();  // which may be about to ask it once more
}

TEST_F(BatchDriverTest, WhatAStepThrowsReachesTheOwnerAndThereAreNoMoreSteps) {
  Counted bad(Empty(), Tokens(5, 1)), good(Empty(), Tokens(200'000, 2));
  bad.throws = true;
  driver_->Check();
  driver_->Add(good);
  driver_->Add(bad);
  try {
    for (int i = 0; i < 1000; ++i) driver_->WaitForStep(kLong);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no room"));
  }
  EXPECT_THROW(driver_->Check(), Error);
  const size_t done = driver_->Run([&] { return good.done.load(); });
  driver_->Add(bad);
  EXPECT_EQ(driver_->Run([&] { return good.done.load(); }), done);
}

TEST_F(BatchDriverTest, EndsInTheMiddleOfATextAfterTheStepThatItIsIn) {
  Counted endless(Empty(), Tokens(200'000, 1));
  driver_->Add(endless);
  driver_->WaitForStep(kLong);
  driver_.reset();
  EXPECT_GT(endless.done, 0u);
  EXPECT_LT(endless.done, 200'000u);
  EXPECT_EQ(endless.state().token_count(), endless.done);
}

TEST_F(BatchDriverTest, ManyThreadsCallAndAddAtOnce) {
  constexpr size_t kThreads = 4, kOfEach = 12;
  std::deque<Counted> all;
  for (size_t i = 0; i < kThreads * kOfEach; ++i) all.emplace_back(Empty(), Tokens(30, 3));
  {
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (size_t i = 0; i < kOfEach; ++i) {
          driver_->Add(all[t * kOfEach + i]);
          EXPECT_EQ(driver_->Run([&] { return t; }), t);
        }
      });
    }
  }
  WaitUntil([&] {
    return std::all_of(all.begin(), all.end(),
                       [](const Counted& one) { return one.tokens_left() == 0; });
  });
  driver_.reset();
}

}  // namespace
}  // namespace statelib::engine
