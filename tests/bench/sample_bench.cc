// SPDX-License-Identifier: Apache-2.0
// The choice of a token, beside the time in which its logits are read once from memory:
//   statelib_sample_bench [threads]   on the CPU
//   statelib_sample_bench cuda        on the GPU: parameters there, choices back and the wait
//   included
#include <benchmark/benchmark.h>

#include <random>

#include "kernels/backends.h"
#include "kernels/sampling.h"

namespace statelib::kernels {
namespace {

/// The parameters that are measured.
struct Kind {
  const char* name;
  SampleRow row;
};
const Kind kKinds[] = {
    {"greedy", {}},
    {"plain", {.temperature = 1}},
    {"min-p", {.temperature = 1, .min_p = 0.05}},
    {"top-k 40", {.temperature = 1, .top_k = 40}},
    {"top-p 0.95", {.temperature = 1, .top_p = 0.95}},
    {"top-k 40, top-p 0.95", {.temperature = 0.8f, .top_k = 40, .top_p = 0.95}},
    {"greedy, 5 log-probabilities", {.log_probabilities = 5}},
};

void Choose(benchmark::State& state, Backend& backend, const SampleRow& row, size_t rows,
            size_t vocabulary) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 3);  // about as a model's
  std::vector<float> logits(rows * vocabulary);
  for (float& logit : logits) logit = normal(random);
  Buffer buffer = backend.Allocate(logits.size());
  backend.Upload(logits, buffer.data());
  std::vector<SampleRow> parameters(rows, row);
  std::vector<SampleResult> results(rows);
  for (auto _ : state) {
    for (SampleRow& one : parameters) ++one.position;
    backend.Sample(
        {Rows{buffer.data(), rows, vocabulary, vocabulary}, vocabulary, parameters, results});
    benchmark::DoNotOptimize(results.data());
  }
  state.counters["GB/s"] = benchmark::Counter(
      static_cast<double>(state.iterations() * logits.size() * sizeof(float)) * 1e-9,
      benchmark::Counter::kIsRate);
}

void Register(Backend& backend) {
  for (const size_t vocabulary : {size_t{50280}, size_t{256000}}) {
    for (const size_t rows : {1, 16, 64}) {
      for (const Kind& kind : kKinds) {
        const std::string name =
            std::to_string(rows) + " x " + std::to_string(vocabulary) + ", " + kind.name;
        benchmark::RegisterBenchmark(name.c_str(),
                                     [=, &backend](benchmark::State& state) {
                                       Choose(state, backend, kind.row, rows, vocabulary);
                                     })
            ->Unit(benchmark::kMicrosecond)
            ->UseRealTime();
      }
    }
  }
}

}  // namespace
}  // namespace statelib::kernels

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const std::string device = argc > 1 ? argv[1] : "0";
  const auto backend = device == "cuda" ? statelib::kernels::MakeCudaBackend()
                                        : statelib::kernels::MakeCpuBackend(std::stoi(device));
  statelib::kernels::Register(*backend);
  benchmark::RunSpecifiedBenchmarks();
}
