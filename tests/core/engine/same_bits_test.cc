// SPDX-License-Identifier: Apache-2.0
// Same tokens, same bits: the state after N tokens is byte-identical however they were cut, alone
// or in a batch, on any number of threads, on every instruction set, resumed or not, with weights
// of every format and every stored type.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <set>

#include "kernels/backends.h"
#include "tests/core/engine/block_model.h"
#include "tests/core/engine/tiny_models.h"
#include "tests/temporary_directory.h"

namespace statelib::engine {
namespace {

constexpr size_t kBlock = 96;  // rows of a pass
constexpr size_t kTokens = 2 * kBlock + 37;
// Of weights that are not f32, whose products alone are other ones.
constexpr size_t kTokensOfFormats = kBlock + 5;

struct Setting {
  std::string model;        // a folder of tests/golden, or "demo"
  std::string stored = {};  // the type of a random model's matrices; empty: the folder's
  RuntimeOptions options = {};
  std::string label = {};

  bool is_f32() const { return stored.empty() && options.weights.empty(); }
};

std::ostream& operator<<(std::ostream& out, const Setting& setting) { return out << setting.label; }

std::unique_ptr<Runtime> OpenModel(const Setting& setting, const RuntimeOptions& options) {
  if (setting.model == "demo") return Runtime::OpenWithoutTokenizer(DemoModel(), options);
  if (setting.stored.empty())
    return Runtime::OpenWithoutTokenizer(GoldenFolder(setting.model), options);
  static const TemporaryDirectory folder;
  const auto path = folder.path() / (setting.model + setting.stored);
  if (!std::filesystem::exists(path))
    BlockModel(setting.model, *model_files::AnyElementTypeFromName(setting.stored)).Write(path);
  return Runtime::OpenWithoutTokenizer(path, options);
}

/// The bytes of every segment after all tokens in one call, on one thread of the best instruction
/// set.
const std::vector<Bytes>& Expected(const Setting& setting) {
  static std::map<std::string, std::vector<Bytes>> expected;
  std::vector<Bytes>& segments =
      expected[setting.model + " " + setting.stored + " " + setting.options.weights];
  if (segments.empty()) {
    RuntimeOptions options;
    options.backend.options.threads = 1;
    options.weights = setting.options.weights;
    const auto runtime = OpenModel(setting, options);
    State state = runtime->Empty();
    const size_t tokens = setting.is_f32() ? kTokens : kTokensOfFormats;
    runtime->Advance(state, RandomTokens(tokens, runtime->info().vocabulary_size, 1));
    segments = runtime->Snapshot(state);
  }
  return segments;
}

/// One model in one format on one instruction set, and how it is to be the same as in any other
/// way.
class Subject {
 public:
  explicit Subject(const Setting& setting)
      : setting_(setting), runtime_(OpenModel(setting, setting.options)) {}

  size_t kernel() const { return static_cast<size_t>(runtime_->SpecFor(0).front().shape[0]) + 1; }

  void ExpectSameInCallsOf(size_t length) {
    ExpectSame(ReadInPieces([length] { return length; }), "in calls of " + std::to_string(length));
  }

  void ExpectSameInRandomCalls(uint32_t seed) {
    std::mt19937 engine(seed);
    ExpectSame(ReadInPieces([&] { return 1 + engine() % (kBlock + kBlock / 2); }),
               "in calls of random lengths");
  }

  void ExpectSameBesideOthers() {
    State alone = runtime_->Empty();
    State first = runtime_->Empty(), second = runtime_->Empty(), third = runtime_->Empty();
    const auto other = Tokens(tokens_.size() / 2 + 5, 2), short_one = Tokens(3, 3);
    const std::vector<PrefillChunk> batch = {
        {&first, other}, {&second, tokens_}, {&third, short_one}};
    runtime_->Advance(batch);
    ExpectSame(second, "in a batch of three lengths");
    runtime_->Advance(alone, other);
    EXPECT_TRUE(runtime_->Snapshot(alone) == runtime_->Snapshot(first)) << setting_;
  }

  void ExpectSameForMoreSequencesThanRowsOfABlock() {
    std::vector<State> states;
    for (size_t i = 0; i < kBlock + 3; ++i) states.push_back(runtime_->Empty());
    const auto few = std::span(tokens_).first(3);
    std::vector<PrefillChunk> batch;
    for (State& state : states) batch.push_back({&state, few});
    runtime_->Advance(batch);
    State alone = runtime_->Empty();
    runtime_->Advance(alone, few);
    for (const State& state : states)
      ASSERT_TRUE(runtime_->Snapshot(state) == runtime_->Snapshot(alone)) << setting_;
  }

  void ExpectSameResumed() {
    State before = runtime_->Empty();
    runtime_->Advance(before, std::span(tokens_).first(50));
    const std::vector<Bytes> stored = runtime_->Snapshot(before);
    State restored =
        runtime_->Restore(before.history(), std::vector<ByteSpan>(stored.begin(), stored.end()));
    State clone = runtime_->Clone(before);
    runtime_->Advance(before, Tokens(9, 4));  // touches neither copy
    runtime_->Advance(restored, std::span(tokens_).subspan(50));
    runtime_->Advance(clone, std::span(tokens_).subspan(50));
    ExpectSame(restored, "resumed from a snapshot");
    ExpectSame(clone, "resumed from a clone");
    EXPECT_EQ(restored.history(), clone.history());
  }

  void ExpectSameLogits() {
    State one = runtime_->Empty(), two = runtime_->Empty();
    runtime_->Advance(one, std::span(tokens_).first(7));
    runtime_->Advance(two, std::span(tokens_).first(20));
    std::vector<const State*> states(70, &one);
    states[66] = &two;
    const std::vector<float> batch = runtime_->Logits(states), alone = runtime_->Logits(two);
    EXPECT_EQ(
        std::memcmp(batch.data() + 66 * alone.size(), alone.data(), alone.size() * sizeof(float)),
        0)
        << setting_;
  }

 private:
  std::vector<TokenId> Tokens(size_t count, uint32_t seed) const {
    return RandomTokens(count, runtime_->info().vocabulary_size, seed);
  }

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
    EXPECT_EQ(state.token_count(), tokens_.size());
    EXPECT_TRUE(runtime_->Snapshot(state) == Expected(setting_)) << setting_ << " " << how;
  }

  const Setting setting_;
  const std::unique_ptr<Runtime> runtime_;
  const std::vector<TokenId> tokens_ = Tokens(setting_.is_f32() ? kTokens : kTokensOfFormats, 1);
};

std::vector<Setting> SettingsOfF32() {
  std::vector<Setting> settings;
  for (const std::string model : {"mamba", "mamba_wide", "mamba2", "falcon_mamba", "demo"}) {
    // The reference takes seconds a thousand tokens on the demo model; the tiny ones show its bits
    // as well.
    if (model != "demo")
      settings.push_back({model, "", {BackendChoice{"reference"}}, model + "_reference"});
    for (const std::string& target : kernels::CpuTargets()) {
      for (const int threads : {1, 2}) {
        settings.push_back({model,
                            "",
                            {BackendChoice{"cpu", {threads, target}}},
                            model + "_" + target + "_" + std::to_string(threads)});
      }
    }
  }
  return settings;
}

class SameBits : public testing::TestWithParam<Setting> {
 protected:
  Subject subject_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(All, SameBits, testing::ValuesIn(SettingsOfF32()),
                         [](const auto& setting) { return setting.param.label; });

TEST_P(SameBits, ForAnyLengthOfTheCalls) {
  for (const size_t length : {size_t{1}, size_t{2}, size_t{3}, subject_.kernel() - 1, kBlock - 1,
                              kBlock, kBlock + 1, kTokens})
    subject_.ExpectSameInCallsOf(length);
  for (const uint32_t seed : {1u, 2u, 3u}) subject_.ExpectSameInRandomCalls(seed);
}

TEST_P(SameBits, AloneOrBesideOtherSequences) { subject_.ExpectSameBesideOthers(); }

TEST_P(SameBits, ForMoreSequencesThanRowsOfABlock) {
  subject_.ExpectSameForMoreSequencesThanRowsOfABlock();
}

TEST_P(SameBits, ResumedFromASnapshotOrAClone) { subject_.ExpectSameResumed(); }

TEST_P(SameBits, LogitsAloneOrInABatch) { subject_.ExpectSameLogits(); }

/// Weights that are rounded when they are loaded, and those of every stored type.
std::vector<Setting> Formats() {
  constexpr const char* kWeights[] = {"bf16", "int8", "int4"};
  constexpr const char* kStored[] = {"F16",  "BF16", "Q8_0", "Q4_0", "Q4_1",
                                     "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"};
  std::vector<Setting> formats;
  for (const std::string model : {"mamba", "mamba2", "falcon_mamba"}) {
    for (const std::string weights : kWeights) {
      formats.push_back({model, "", {}, model + "_as_" + weights});
      formats.back().options.weights = weights;
    }
    for (const std::string stored : kStored)
      formats.push_back({model, stored, {}, model + "_" + stored});
  }
  return formats;
}

class SameBitsOfFormats : public testing::TestWithParam<Setting> {
 protected:
  Setting On(const std::string& backend, const std::string& target, int threads) const {
    Setting setting = GetParam();
    setting.options.backend.name = backend;
    setting.options.backend.options.instruction_set = target;
    setting.options.backend.options.threads = threads;
    setting.label += " " + backend + " " + target + " " + std::to_string(threads);
    return setting;
  }
};

INSTANTIATE_TEST_SUITE_P(All, SameBitsOfFormats, testing::ValuesIn(Formats()),
                         [](const auto& setting) { return setting.param.label; });

TEST_P(SameBitsOfFormats, InEveryCutBatchAndInstructionSet) {
  for (const std::string& target : kernels::CpuTargets()) {
    for (const int threads : {1, 2}) {
      Subject subject(On("cpu", target, threads));
      for (const size_t length : {size_t{1}, size_t{3}, kBlock})
        subject.ExpectSameInCallsOf(length);
      subject.ExpectSameInRandomCalls(1);
      subject.ExpectSameBesideOthers();
      subject.ExpectSameForMoreSequencesThanRowsOfABlock();
      subject.ExpectSameResumed();
      subject.ExpectSameLogits();
    }
  }
}

TEST_P(SameBitsOfFormats, OnTheReference) {
  Subject subject(On("reference", "", 1));
  subject.ExpectSameInCallsOf(kTokensOfFormats);
  subject.ExpectSameInRandomCalls(2);
}

TEST_P(SameBitsOfFormats, OfNumbersThatSayAnything) {
  // Random blocks could overflow, or decay to nothing, and agree for that alone.
  for (const Bytes& segment : Expected(GetParam())) {
    std::set<float> values;
    for (size_t at = 0; at < segment.size(); at += sizeof(float)) {
      const auto value = LoadLittle<float>(segment.data() + at);
      ASSERT_TRUE(std::isfinite(value));
      values.insert(value);
    }
    EXPECT_GT(values.size() * sizeof(float) * 2, segment.size());
  }
}

}  // namespace
}  // namespace statelib::engine
