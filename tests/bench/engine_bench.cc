// SPDX-License-Identifier: Apache-2.0
// Prefill and decode of a model, each beside what the machine's multiply rate or read bandwidth
// allows. The model is $STATELIB_BENCH_MODEL, or the demo model.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <random>
#include <thread>

#include "core/engine/runtime.h"
#include "tests/bench/hardware_limits.h"

namespace statelib::engine {
namespace {

std::filesystem::path ModelFolder() {
  const char* chosen = std::getenv("STATELIB_BENCH_MODEL");
  return chosen != nullptr ? std::filesystem::path(chosen)
                           : std::filesystem::path(STATELIB_SOURCE_DIR) / "examples/models/demo";
}

/// The model's work a token: multiply-adds, and bytes of weights that one pass over them reads.
struct Work {
  double body_multiply_adds;
  double head_multiply_adds;
  double bytes;
};

Work WorkOf(const Runtime& runtime) {
  const auto head =
      static_cast<double>(runtime.info().vocabulary_size * runtime.info().hidden_size);
  const bool tied = runtime.checkpoint().Find("lm_head.weight") == nullptr;
  const auto all = static_cast<double>(runtime.info().parameters);
  return {all - (tied ? 1 : 2) * head, head,
          static_cast<double>(runtime.checkpoint().tensors().total_bytes())};
}

std::vector<TokenId> Tokens(size_t count, int64_t vocabulary) {
  std::mt19937 engine(1);
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens)
    token = static_cast<TokenId>(engine() % static_cast<uint32_t>(vocabulary));
  return tokens;
}

void ReportTokens(benchmark::State& bench, double tokens, double limit_tokens_per_second) {
  bench.counters["tokens/s"] =
      benchmark::Counter(tokens, benchmark::Counter::kIsIterationInvariantRate);
  bench.counters["limit"] = limit_tokens_per_second;
  bench.counters["of_limit"] = benchmark::Counter(tokens / limit_tokens_per_second,
                                                  benchmark::Counter::kIsIterationInvariantRate);
}

/// Reading a text: bound by the multiply rate.
void Prefill(benchmark::State& bench) {
  const auto threads = static_cast<int>(bench.range(0));
  const auto runtime = Runtime::OpenWithoutTokenizer(ModelFolder(), {"cpu", "", threads});
  const auto tokens = Tokens(4 * model::Model::rows_max, runtime->info().vocabulary_size);
  State state = runtime->Empty();
  runtime->Advance(state, tokens);
  for (auto _ : bench) runtime->Advance(state, tokens);
  const double rate = bench::MeasureMultiplyAddsPerSecond(threads);
  ReportTokens(bench, static_cast<double>(tokens.size()),
               rate / WorkOf(*runtime).body_multiply_adds);
}

/// Writing one token for each of several states at once: bound by one pass over the weights, or by
/// multiplying.
void Decode(benchmark::State& bench) {
  const auto threads = static_cast<int>(bench.range(0));
  const auto sequences = static_cast<size_t>(bench.range(1));
  const auto runtime = Runtime::OpenWithoutTokenizer(ModelFolder(), {"cpu", "", threads});
  const auto tokens = Tokens(sequences, runtime->info().vocabulary_size);
  std::vector<State> states;
  std::vector<Advancing> batch;
  std::vector<const State*> pointers;
  for (size_t i = 0; i < sequences; ++i) states.push_back(runtime->Empty());
  for (size_t i = 0; i < sequences; ++i) {
    batch.push_back({&states[i], std::span(tokens).subspan(i, 1)});
    pointers.push_back(&states[i]);
  }
  runtime->Advance(batch);
  for (auto _ : bench) {
    runtime->Advance(batch);
    benchmark::DoNotOptimize(runtime->Logits(pointers));
  }
  const Work work = WorkOf(*runtime);
  const double by_memory =
      bench::MeasureReadBytesPerSecond(threads, static_cast<size_t>(work.bytes)) / work.bytes *
      static_cast<double>(sequences);
  const double by_multiplying = bench::MeasureMultiplyAddsPerSecond(threads) /
                                (work.body_multiply_adds + work.head_multiply_adds);
  ReportTokens(bench, static_cast<double>(sequences), std::min(by_memory, by_multiplying));
}

const std::vector<int64_t>& ThreadCounts() {
  static const std::vector<int64_t> counts = {
      1, static_cast<int64_t>(std::max(2u, std::thread::hardware_concurrency()))};
  return counts;
}

BENCHMARK(Prefill)
    ->ArgsProduct({ThreadCounts()})
    ->ArgNames({"threads"})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(Decode)
    ->ArgsProduct({ThreadCounts(), {1, 4, 16, 64}})
    ->ArgNames({"threads", "sequences"})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace statelib::engine

BENCHMARK_MAIN();
