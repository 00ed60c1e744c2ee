// SPDX-License-Identifier: Apache-2.0
// What it costs to have a model ready, after its weights were packed and its files are in the page
// cache. The first token is one pass over the mapped weights more, whose pages are mapped on the
// way.
//   statelib_load_bench [MODEL]   a model's folder or file (default: the demo model)
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>

#include "core/engine/runtime.h"
#include "core/model/architectures.h"

namespace statelib::engine {
namespace {

namespace fs = std::filesystem;

struct Place {
  fs::path model;
  fs::path packed;  // a folder
};

/// Not the model's: packed weights are found again by any identity.
const Digest kIdentity = HashOf(AsBytes(std::string_view("benchmark")));

std::unique_ptr<Runtime> Ready(const Place& place, const std::string& weights) {
  RuntimeOptions options;
  options.weights = weights;
  auto runtime = Runtime::Open(place.model, options);
  runtime->UsePackedWeights(place.packed, kIdentity, &FileSystem::Real());
  return runtime;
}

void OpenModelFiles(benchmark::State& bench, const Place& place) {
  for (auto _ : bench) benchmark::DoNotOptimize(model::OpenModelFiles(place.model));
}

void OpenTokenizer(benchmark::State& bench, const Place& place) {
  for (auto _ : bench) benchmark::DoNotOptimize(Runtime::OpenTokenizer(place.model, {}));
}

void Load(benchmark::State& bench, const Place& place, const std::string& weights) {
  for (auto _ : bench) benchmark::DoNotOptimize(Ready(place, weights));
}

void LoadAndReadAToken(benchmark::State& bench, const Place& place, const std::string& weights) {
  const TokenId token = 1;
  for (auto _ : bench) {
    const auto runtime = Ready(place, weights);
    State state = runtime->Empty();
    runtime->Advance(state, std::span(&token, 1));
    benchmark::DoNotOptimize(runtime->Logits(state));
  }
}

void RegisterAll(const Place& place) {
  const auto add = [](const std::string& name, auto run) {
    benchmark::RegisterBenchmark(name.c_str(), run)->UseRealTime()->Unit(benchmark::kMillisecond);
  };
  add("OpenModelFiles", [place](benchmark::State& bench) { OpenModelFiles(bench, place); });
  add("OpenTokenizer", [place](benchmark::State& bench) { OpenTokenizer(bench, place); });
  for (const std::string weights : {"auto", "f32", "bf16", "int8", "int4"}) {
    Ready(place, weights);
    add("Load/" + weights,
        [place, weights](benchmark::State& bench) { Load(bench, place, weights); });
    add("LoadAndReadAToken/" + weights,
        [place, weights](benchmark::State& bench) { LoadAndReadAToken(bench, place, weights); });
  }
}

}  // namespace
}  // namespace statelib::engine

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  benchmark::Initialize(&argc, argv);
  const fs::path model = argc > 1 ? argv[1] : STATELIB_DEMO_MODEL;
  const fs::path packed =
      fs::temp_directory_path() / ("statelib-load-bench-" + std::to_string(::getpid()));
  fs::create_directories(packed);
  statelib::engine::RegisterAll({model, packed});
  benchmark::RunSpecifiedBenchmarks();
  fs::remove_all(packed);
}
