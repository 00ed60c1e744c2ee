// SPDX-License-Identifier: Apache-2.0
// A state to the library and back, files synced and every hash checked, beside one pass over its
// bytes at the memory's read bandwidth. The model is $STATELIB_BENCH_MODEL, or the demo model.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>

#include "statestore/library/load.h"
#include "statestore/library/save.h"
#include "tests/bench/hardware_limits.h"
#include "tests/temporary_directory.h"

namespace statelib::library {
namespace {

/// A library with one state of a text that was really read.
class Fixture {
 public:
  Fixture()
      : library_(Library::Open(folder_.path() / "library", Library::Access::kCreate)),
        model_(LoadModel(library_, {ModelFolder(), "bench"}, {})),
        state_(model_.runtime->Empty()) {
    std::vector<TokenId> tokens(300);
    for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<TokenId>(5 + i * 37 % 900);
    Read(tokens);
  }

  static std::filesystem::path ModelFolder() {
    const char* chosen = std::getenv("STATELIB_BENCH_MODEL");
    return chosen != nullptr ? std::filesystem::path(chosen)
                             : std::filesystem::path(STATELIB_SOURCE_DIR) / "examples/models/demo";
  }

  void Read(const std::vector<TokenId>& tokens) {
    model_.runtime->Advance(state_, tokens);
    history_.insert(history_.end(), tokens.begin(), tokens.end());
  }

  SavedState Save() {
    SaveRequest request;
    request.reference.name = "bench";
    request.tokens_after = history_;
    return SaveState(library_, model_, state_, request);
  }

  LoadedState Load() { return LoadState(library_, model_, library_.Resolve("bench")); }

  double RawBytes() const { return static_cast<double>(TotalBytes(model_.runtime->state_spec())); }

 private:
  TemporaryDirectory folder_;
  Library library_;
  LoadedModel model_;
  engine::State state_;
  std::vector<TokenId> history_;
};

void Report(benchmark::State& bench, const SavedState& saved, double raw_bytes) {
  const auto stored = static_cast<double>(saved.state.stored_bytes);
  bench.counters["raw_kB"] = raw_bytes / 1000;
  bench.counters["stored_kB"] = stored / 1000;
  bench.counters["stored/raw"] = stored / raw_bytes;
  bench.counters["limit_ms"] =
      1000 * raw_bytes / bench::MeasureReadBytesPerSecond(1, static_cast<size_t>(raw_bytes));
}

void SaveNewState(benchmark::State& bench) {
  Fixture fixture;
  SavedState saved;
  for (auto _ : bench) {
    bench.PauseTiming();
    fixture.Read({7});
    bench.ResumeTiming();
    saved = fixture.Save();
  }
  Report(bench, saved, fixture.RawBytes());
}

void LoadStoredState(benchmark::State& bench) {
  Fixture fixture;
  const SavedState saved = fixture.Save();
  for (auto _ : bench) benchmark::DoNotOptimize(fixture.Load());
  Report(bench, saved, fixture.RawBytes());
}

BENCHMARK(SaveNewState)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(LoadStoredState)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace statelib::library

BENCHMARK_MAIN();
