// SPDX-License-Identifier: Apache-2.0
// A hybrid of every kind of part: states that grow are the same however their tokens were cut, are
// copied without being copied, and come back from their segments.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/base/error.h"
#include "kernels/memory.h"
#include "tests/core/engine/tiny_models.h"
#include "tests/made_up_backend.h"
#include "tests/synthetic_hybrid.h"
#include "tests/temporary_directory.h"

namespace statelib::engine {
namespace {

using kernels::kPageTokens;

constexpr size_t kTokens = 2 * kPageTokens + 90;

std::unique_ptr<Runtime> OpenHybrid(const BackendChoice& backend = {}) {
  static const TemporaryDirectory folder;
  static const bool written = [] {
    WriteSyntheticHybrid(folder.path());
    return true;
  }();
  EXPECT_TRUE(written);
  RuntimeOptions options;
  options.backend = backend;
  options.architectures = ArchitecturesWithHybrid();
  return Runtime::OpenWithoutTokenizer(folder.path(), options);
}

std::vector<ByteSpan> Views(const std::vector<Bytes>& segments) {
  return {segments.begin(), segments.end()};
}

class HybridTest : public testing::Test {
 protected:
  std::vector<Bytes> Expected(size_t count) {
    State state = runtime_->Empty();
    runtime_->Advance(state, First(count));
    return runtime_->Snapshot(state);
  }
  std::span<const TokenId> First(size_t count) const { return std::span(tokens_).first(count); }

  std::unique_ptr<Runtime> runtime_ = OpenHybrid();
  std::vector<TokenId> tokens_ = RandomTokens(kTokens, runtime_->info().vocabulary_size, 1);
};

TEST_F(HybridTest, ItsProfileNamesTheFamiliesThatItNeeds) {
  EXPECT_EQ(runtime_->profile(), "exact-f32-r1.attnr1.lnormr1.moer1");
}

TEST_F(HybridTest, ItsSegmentsGrowWithTheTokensAndWindowsStopGrowing) {
  std::vector<std::string> labels;
  for (const SegmentSpec& segment : runtime_->SpecFor(1000)) labels.push_back(segment.Label());
  EXPECT_THAT(labels,
              testing::ElementsAre(
                  "layer 0 conv [2, 112]", "layer 0 ssm [4, 12, 16]", "layer 1 conv [2, 112]",
                  "layer 1 ssm [4, 12, 16]", "layer 1 keys [1000, 2, 20]",
                  "layer 1 values [1000, 2, 20]", "layer 2 keys [39, 2, 20]",
                  "layer 2 values [39, 2, 20]", "layer 3 conv [3, 64]", "layer 3 ssm [8, 64]",
                  "layer 5 keys [1000, 2, 20]", "layer 5 values [1000, 2, 20]", "hidden [48]"));
}

TEST_F(HybridTest, TheStateIsTheSameInCallsOfAnyLengths) {
  const std::vector<Bytes> expected = Expected(kTokens);
  std::mt19937 engine(3);
  for (const size_t longest : {size_t{1}, size_t{7}, size_t{150}, kPageTokens + 1}) {
    State state = runtime_->Empty();
    for (size_t done = 0; done < kTokens;) {
      const size_t count = std::min(kTokens - done, 1 + engine() % longest);
      runtime_->Advance(state, std::span(tokens_).subspan(done, count));
      done += count;
    }
    EXPECT_TRUE(runtime_->Snapshot(state) == expected) << "in calls of up to " << longest;
  }
}

TEST_F(HybridTest, TheStateIsTheSameBesideOthers) {
  State a = runtime_->Empty(), b = runtime_->Empty(), c = runtime_->Empty();
  const std::vector<TokenId> other = RandomTokens(300, runtime_->info().vocabulary_size, 2);
  const std::vector<PrefillChunk> together = {{&a, other}, {&b, tokens_}, {&c, First(3)}};
  runtime_->Advance(together);
  EXPECT_TRUE(runtime_->Snapshot(b) == Expected(kTokens));
  EXPECT_TRUE(runtime_->Snapshot(c) == Expected(3));
}

TEST_F(HybridTest, TheStateIsTheSameOnEveryBackendAndNumberOfThreads) {
  constexpr size_t kFew = kPageTokens + 60;
  const std::vector<Bytes> expected = Expected(kFew);
  std::vector<BackendChoice> choices = {{"reference", {}}};
  for (const std::string& target : kernels::CpuTargets()) {
    choices.push_back({"cpu", {1, target}});
    choices.push_back({"cpu", {3, target}});
  }
  for (const BackendChoice& choice : choices) {
    const auto runtime = OpenHybrid(choice);
    State state = runtime->Empty();
    runtime->Advance(state, First(kFew));
    EXPECT_TRUE(runtime->Snapshot(state) == expected) << runtime->backend_name();
  }
}

TEST_F(HybridTest, ARestoredStateGoesOnAsIfItHadNeverLeft) {
  for (const size_t cut : {size_t{1}, size_t{30}, kPageTokens, kPageTokens + 1, kTokens - 1}) {
    State state = runtime_->Empty();
    runtime_->Advance(state, First(cut));
    const std::vector<Bytes> stored = runtime_->Snapshot(state);
    State restored = runtime_->Restore(state.history(), Views(stored));
    EXPECT_TRUE(runtime_->Snapshot(restored) == stored) << cut;
    runtime_->Advance(restored, std::span(tokens_).subspan(cut));
    EXPECT_TRUE(runtime_->Snapshot(restored) == Expected(kTokens)) << cut;
    EXPECT_EQ(runtime_->Logits(restored).size(), 83u);
  }
}

TEST_F(HybridTest, ABackendWhoseMemoryIsElsewhereBringsSlotAndPagesAndTakesThemBack) {
  const auto runtime = OpenHybrid(MadeUpBackend::Choice(true));
  State whole = runtime->Empty(), part = runtime->Empty();
  runtime->Advance(whole, tokens_);
  runtime->Advance(part, First(kPageTokens + 3));
  engine::Snapshot under_way = runtime->BeginSnapshot(part);
  runtime->Advance(part, std::span(tokens_).subspan(kPageTokens + 3, 20));
  const std::vector<Bytes> stored = under_way.Finish();
  History history;
  history.Append(First(kPageTokens + 3));
  State restored = runtime->Restore(history, Views(stored));
  runtime->Advance(restored, std::span(tokens_).subspan(kPageTokens + 3));
  EXPECT_TRUE(runtime->Snapshot(restored) == runtime->Snapshot(whole));
}

TEST_F(HybridTest, ASnapshotOfNewTokensHasThemAlone) {
  State state = runtime_->Empty();
  runtime_->Advance(state, tokens_);
  const std::vector<Bytes> all = runtime_->Snapshot(state);
  constexpr uint64_t kFirst = kPageTokens + 11;
  const std::vector<Bytes> fresh = runtime_->Snapshot(state, kFirst);
  const StateSpec spec = runtime_->SpecFor(kTokens);
  for (size_t i = 0; i < spec.size(); ++i) {
    const bool grows = runtime_->state_layout().segments()[i].reach == model::kAllTokens;
    const size_t old = grows ? spec[i].bytes() / kTokens * kFirst : 0;
    EXPECT_TRUE(Bytes(all[i].begin() + static_cast<std::ptrdiff_t>(old), all[i].end()) == fresh[i])
        << spec[i].Label();
  }
}

TEST_F(HybridTest, WhatIsReadAfterASnapshotBeganDoesNotShowInIt) {
  State state = runtime_->Empty();
  runtime_->Advance(state, First(kPageTokens + 50));
  engine::Snapshot under_way = runtime_->BeginSnapshot(state);
  runtime_->Advance(state, std::span(tokens_).subspan(kPageTokens + 50));
  EXPECT_TRUE(under_way.Finish() == Expected(kPageTokens + 50));
  EXPECT_TRUE(runtime_->Snapshot(state) == Expected(kTokens));
}

TEST_F(HybridTest, ACopySharesItsPagesUntilOneOfThemIsWritten) {
  State state = runtime_->Empty();
  runtime_->Advance(state, First(kPageTokens + 50));
  State copy = runtime_->Clone(state);
  // Two pages of what reaches all tokens, and one of the window, whose first one is gone.
  EXPECT_EQ(state.shared_pages(), 3u);
  EXPECT_EQ(copy.shared_pages(), 3u);
  runtime_->Advance(copy, std::span(tokens_).subspan(kPageTokens + 50, 5));
  EXPECT_EQ(state.shared_pages(), 1u) << "the full page alone";
  EXPECT_TRUE(runtime_->Snapshot(state) == Expected(kPageTokens + 50));
  EXPECT_TRUE(runtime_->Snapshot(copy) == Expected(kPageTokens + 55));
  runtime_->Advance(state, std::span(tokens_).subspan(kPageTokens + 50));
  EXPECT_TRUE(runtime_->Snapshot(state) == Expected(kTokens));
}

/// Reads a text a token at a time with guesses behind it, of which some are right: by its number,
/// none to all.
class Guessing : public BatchSequence {
 public:
  Guessing(State state, std::span<const TokenId> text, size_t vocabulary)
      : state_(std::move(state)), text_(text), vocabulary_(vocabulary) {
    Prepare();
  }

  State& state() override { return state_; }
  Wanted wanted() const override { return Wanted::kEveryLogits; }
  size_t tokens_left() const override { return window_.size(); }
  std::span<const TokenId> Next(size_t count) override { return std::span(window_).first(count); }
  size_t open(size_t count) const override { return is_last_ ? 0 : count; }
  size_t right() const override { return right_; }
  void Took(size_t count, const Given& given) override {
    const size_t kept = (guessed_right_ + 1) * vocabulary_;
    logits.insert(logits.end(), given.logits.begin(),
                  given.logits.begin() + static_cast<std::ptrdiff_t>(kept));
    EXPECT_EQ(count, window_.size());
    at_ += guessed_right_ + 1;
    right_ = guessed_right_ + 1;
    Prepare();
  }

  std::vector<float> logits;  // after each token of the text

 private:
  void Prepare() {
    window_.clear();
    if (at_ == text_.size()) return;
    const size_t width = std::min<size_t>(at_ % 5, text_.size() - at_ - 1);
    guessed_right_ = std::min(at_ % 3, width);
    is_last_ = at_ + 1 == text_.size();
    for (size_t i = 0; i <= width; ++i)
      window_.push_back(i <= guessed_right_ ? text_[at_ + i] : (text_[at_ + i] + 1) % 83);
    if (at_ + guessed_right_ + 1 == text_.size() && !is_last_) {
      // The last token of a text is read by itself, so that nothing stays open.
      --guessed_right_;
      window_.back() = (window_.back() + 1) % 83;
    }
  }

  State state_;
  std::span<const TokenId> text_;
  size_t vocabulary_;
  size_t at_ = 0, right_ = 0, guessed_right_ = 0;
  bool is_last_ = false;
  std::vector<TokenId> window_;
};

TEST_F(HybridTest, GuessesOfSequencesInABatchLeaveStatesAndLogitsAsTheyAre) {
  const std::vector<TokenId> other = RandomTokens(290, runtime_->info().vocabulary_size, 4);
  Guessing one(runtime_->Empty(), First(270), 83), two(runtime_->Empty(), other, 83);
  const auto batch = runtime_->MakeBatch();
  batch->Add(one);
  batch->Add(two);
  while (batch->Step()) {
  }
  for (const auto& [guessing, text] : {std::pair(&one, First(270)), {&two, std::span(other)}}) {
    State plain = runtime_->Empty();
    std::vector<float> logits;
    runtime_->AdvanceWithLogits(plain, text, [&](std::span<const float> of_token) {
      logits.insert(logits.end(), of_token.begin(), of_token.end());
    });
    EXPECT_TRUE(guessing->logits == logits);
    EXPECT_EQ(guessing->state().history(), plain.history());
    EXPECT_TRUE(runtime_->Snapshot(guessing->state()) == runtime_->Snapshot(plain));
  }
}

TEST_F(HybridTest, ABackendWithoutItsOperationsRefusesItByName) {
  try {
    OpenHybrid(MadeUpBackend::Choice());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
    EXPECT_THAT(error.what(), testing::HasSubstr("synthetic_hybrid needs gates and sums of rows, "
                                                 "which the backend made up does not compute"));
  }
}

TEST_F(HybridTest, WeightsOfTwoLayersAreCountedOnceAndExpertsByThoseThatAreChosen) {
  const model::TokenWork work = runtime_->work();
  const double experts = 3.0 * 24 * 48 * 4;  // bytes of one
  EXPECT_NEAR(work.stored_weight_bytes - work.active_weight_bytes, 3 * experts, 1e-6);
  uint64_t elements = 0;
  for (const auto& tensor : runtime_->model_files().tensors().all())
    elements += static_cast<uint64_t>(tensor.elements());
  EXPECT_EQ(runtime_->info().parameters, elements);
}

}  // namespace
}  // namespace statelib::engine
