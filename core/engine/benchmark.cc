// SPDX-License-Identifier: Apache-2.0
#include "core/engine/benchmark.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <random>
#include <utility>

#include "kernels/limits.h"

namespace statelib::engine {

namespace {

using Clock = std::chrono::steady_clock;

// More is no nearer to the memory's bandwidth.
constexpr double kReadBytesMax = 1 << 30;

/// Tokens of a model's vocabulary, the same ones every time.
std::vector<TokenId> AnyTokens(size_t count, int64_t vocabulary) {
  std::mt19937 engine(1);
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens)
    token = static_cast<TokenId>(engine() % static_cast<uint32_t>(vocabulary));
  return tokens;
}

/// Steps a second, after one that is not counted.
template <typename Step>
double StepsPerSecond(double seconds, const CancelFlag* cancel, const Step& step) {
  step();
  const auto begin = Clock::now();
  size_t steps = 0;
  std::chrono::duration<double> took{};
  do {
    if (cancel != nullptr) cancel->Check();
    step();
    ++steps;
    took = Clock::now() - begin;
  } while (took.count() < seconds);
  return static_cast<double>(steps) / took.count();
}

/// What a step of a batch does, for each of its tokens.
struct WorkPerToken {
  double multiply_adds;
  double read_bytes;
};

/// A rate that was just measured beside the mean of the limits before and after it.
Speed Beside(double tokens_per_second, const WorkPerToken& work, const Runtime& runtime,
             MachineLimits& limits) {
  const MachineLimits before = std::exchange(limits, MeasureLimits(runtime));
  const double multiplying = (before.multiply_adds_per_second + limits.multiply_adds_per_second) /
                             2 / work.multiply_adds,
               reading = (before.read_bytes_per_second + limits.read_bytes_per_second) / 2 /
                         work.read_bytes;
  return {tokens_per_second, std::min(multiplying, reading), reading < multiplying};
}

/// Reads the same tokens in every step.
class EndlessSequence : public BatchSequence {
 public:
  EndlessSequence(State state, std::span<const TokenId> tokens, Wanted wanted)
      : state_(std::move(state)), tokens_(tokens), wanted_(wanted) {}

  State& state() override { return state_; }
  Wanted wanted() const override { return wanted_; }
  size_t tokens_left() const override { return tokens_.size(); }
  std::span<const TokenId> Next(size_t count) override { return tokens_.first(count); }
  void Took(size_t, const Given&) override {}

 private:
  State state_;
  std::span<const TokenId> tokens_;
  Wanted wanted_;
};

}  // namespace

MachineLimits MeasureLimits(const Runtime& runtime) {
  const double bytes = std::min(runtime.work().active_weight_bytes, kReadBytesMax);
  return {kernels::MeasureMultiplyAddsPerSecond(runtime.arithmetic(), runtime.threads()),
          kernels::MeasureReadBytesPerSecond(runtime.threads(), static_cast<size_t>(bytes))};
}

Speed MeasurePrefill(Runtime& runtime, MachineLimits& limits, double seconds,
                     const CancelFlag* cancel) {
  const auto rows = static_cast<double>(runtime.rows_max());
  const auto tokens = AnyTokens(runtime.rows_max(), runtime.info().vocabulary_size);
  EndlessSequence sequence(runtime.Empty(), tokens, Wanted::kState);
  const auto batch = runtime.MakeBatch();
  batch->Add(sequence);
  const double rate = rows * StepsPerSecond(seconds, cancel, [&] { batch->Step(); });
  const model::TokenWork work = runtime.work();
  return Beside(rate, {work.body_multiply_adds, work.active_weight_bytes / rows}, runtime, limits);
}

Speed MeasureDecode(Runtime& runtime, MachineLimits& limits, size_t sequences, double seconds,
                    const CancelFlag* cancel) {
  const auto tokens = AnyTokens(sequences, runtime.info().vocabulary_size);
  std::deque<EndlessSequence> all;
  const auto batch = runtime.MakeBatch();
  for (size_t i = 0; i < sequences; ++i) {
    batch->Add(
        all.emplace_back(runtime.Empty(), std::span(tokens).subspan(i, 1), Wanted::kLastLogits));
  }
  const auto count = static_cast<double>(sequences);
  const double rate = count * StepsPerSecond(seconds, cancel, [&] { batch->Step(); });
  const model::TokenWork work = runtime.work();
  return Beside(
      rate, {work.body_multiply_adds + work.head_multiply_adds, work.active_weight_bytes / count},
      runtime, limits);
}

}  // namespace statelib::engine
