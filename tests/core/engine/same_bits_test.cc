// SPDX-License-Identifier: Apache-2.0
// Same tokens, same bits: the state after N tokens is byte-identical however they were cut, alone
// or in a batch, on any number of threads, on every instruction set, resumed or not.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <map>

#include "kernels/backends.h"
#include "tests/core/engine/tiny_models.h"

namespace statelib::engine {
namespace {

constexpr size_t kBlock = model::Model::rows_max;
constexpr size_t kTokens = 2 * kBlock + 37;

struct Setting {
  std::string model;
  RuntimeOptions options;
  std::string label;
};

std::ostream& operator<<(std::ostream& out, const Setting& setting) { return out << setting.label; }

std::vector<Setting> Settings() {
  std::vector<Setting> settings;
  for (const std::string model : {"mamba", "mamba_wide", "mamba2", "falcon_mamba", "demo"}) {
    // The reference takes seconds a thousand tokens on the demo model; the tiny ones show its bits
    // as well.
    if (model != "demo") settings.push_back({model, {"reference", "", 1}, model + "_reference"});
    for (const std::string& target : kernels::CpuTargets()) {
      for (const int threads : {1, 2}) {
        settings.push_back({model,
                            {"cpu", target, threads},
                            model + "_" + target + "_" + std::to_string(threads)});
      }
    }
  }
  return settings;
}

std::unique_ptr<Runtime> OpenModel(const std::string& model, const RuntimeOptions& options) {
  return Runtime::OpenWithoutTokenizer(model == "demo" ? DemoModel() : GoldenFolder(model),
                                       options);
}

/// The bytes of every segment after all tokens in one call, on one thread of the best instruction
/// set.
const std::vector<Bytes>& Expected(const std::string& model) {
  static std::map<std::string, std::vector<Bytes>> expected;
  if (!expected.contains(model)) {
    const auto runtime = OpenModel(model, {"cpu", "", 1});
    State state = runtime->Empty();
    runtime->Advance(state, RandomTokens(kTokens, runtime->info().vocabulary_size, 1));
    expected[model] = runtime->Snapshot(state);
  }
  return expected[model];
}

class SameBits : public testing::TestWithParam<Setting> {
 protected:
  std::unique_ptr<Runtime> runtime_ = OpenModel(GetParam().model, GetParam().options);
  std::vector<TokenId> tokens_ = RandomTokens(kTokens, runtime_->info().vocabulary_size, 1);

  /// Reads all tokens in pieces of the lengths that `next_length` gives.
  State ReadInPieces(const std::function<size_t()>& next_length) {
    State state = runtime_->Empty();
    for (std::span<const TokenId> left = tokens_; !left.empty();) {
      const size_t length = std::min(next_length(), left.size());
      runtime_->Advance(state, left.first(length));
      left = left.subspan(length);
    }
    return state;
  }

  void ExpectSame(const State& state, const std::string& how) {
    EXPECT_EQ(state.token_count(), kTokens);
    EXPECT_TRUE(runtime_->Snapshot(state) == Expected(GetParam().model)) << how;
  }
};

INSTANTIATE_TEST_SUITE_P(All, SameBits, testing::ValuesIn(Settings()),
                         [](const auto& setting) { return setting.param.label; });

TEST_P(SameBits, ForAnyLengthOfTheCalls) {
  const auto kernel = static_cast<size_t>(runtime_->state_spec().front().shape[0]) + 1;
  for (const size_t length :
       {size_t{1}, size_t{2}, size_t{3}, kernel - 1, kBlock - 1, kBlock, kBlock + 1, kTokens}) {
    ExpectSame(ReadInPieces([&] { return length; }), "in calls of " + std::to_string(length));
  }
  for (const uint32_t seed : {1u, 2u, 3u}) {
    std::mt19937 engine(seed);
    ExpectSame(ReadInPieces([&] { return 1 + engine() % (kBlock + kBlock / 2); }),
               "in calls of random lengths");
  }
}

TEST_P(SameBits, AloneOrBesideOtherSequences) {
  const auto vocabulary = runtime_->info().vocabulary_size;
  State alone = runtime_->Empty();
  State first = runtime_->Empty(), second = runtime_->Empty(), third = runtime_->Empty();
  const auto other = RandomTokens(kBlock + 5, vocabulary, 2),
             short_one = RandomTokens(3, vocabulary, 3);
  const std::vector<Advancing> batch = {{&first, other}, {&second, tokens_}, {&third, short_one}};
  runtime_->Advance(batch);
  ExpectSame(second, "in a batch of three lengths");
  runtime_->Advance(alone, other);
  EXPECT_TRUE(runtime_->Snapshot(alone) == runtime_->Snapshot(first));
}

TEST_P(SameBits, ForMoreSequencesThanRowsOfABlock) {
  std::vector<State> states;
  for (size_t i = 0; i < kBlock + 3; ++i) states.push_back(runtime_->Empty());
  const auto few = std::span(tokens_).first(3);
  std::vector<Advancing> batch;
  for (State& state : states) batch.push_back({&state, few});
  runtime_->Advance(batch);
  State alone = runtime_->Empty();
  runtime_->Advance(alone, few);
  for (const State& state : states)
    ASSERT_TRUE(runtime_->Snapshot(state) == runtime_->Snapshot(alone));
}

TEST_P(SameBits, ResumedFromASnapshotOrAClone) {
  State before = runtime_->Empty();
  runtime_->Advance(before, std::span(tokens_).first(50));
  const std::vector<Bytes> stored = runtime_->Snapshot(before);
  State restored =
      runtime_->Restore(before.history(), std::vector<ByteSpan>(stored.begin(), stored.end()));
  State clone = runtime_->Clone(before);
  runtime_->Advance(before,
                    RandomTokens(9, runtime_->info().vocabulary_size, 4));  // touches neither copy
  runtime_->Advance(restored, std::span(tokens_).subspan(50));
  runtime_->Advance(clone, std::span(tokens_).subspan(50));
  ExpectSame(restored, "resumed from a snapshot");
  ExpectSame(clone, "resumed from a clone");
  EXPECT_EQ(restored.history(), clone.history());
}

TEST_P(SameBits, LogitsAloneOrInABatch) {
  State one = runtime_->Empty(), two = runtime_->Empty();
  runtime_->Advance(one, std::span(tokens_).first(7));
  runtime_->Advance(two, std::span(tokens_).first(20));
  std::vector<const State*> states(70, &one);
  states[66] = &two;
  const std::vector<float> batch = runtime_->Logits(states), alone = runtime_->Logits(two);
  EXPECT_EQ(
      std::memcmp(batch.data() + 66 * alone.size(), alone.data(), alone.size() * sizeof(float)), 0);
}

}  // namespace
}  // namespace statelib::engine
