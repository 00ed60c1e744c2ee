// SPDX-License-Identifier: Apache-2.0
// The CUDA backend's operations at the sizes of mamba-130m and mamba-2.8b, each beside what the
// device allows: bytes over the rate of a large copy, or multiply-adds over the rate of its lanes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "kernels/backends.h"
#include "tests/kernels/sequences.h"

namespace statelib::kernels {
namespace {

// More than any cache: matrices are taken in turn until this many bytes went by.
constexpr size_t kBeyondCaches = size_t{200} << 20;
// Operations between two waits for the device, so that the wait does not count.
constexpr int kOperationsQueued = 64;

Backend& Device() {
  static const std::unique_ptr<Backend> backend = MakeCudaBackend();
  return *backend;
}

Buffer RandomBuffer(size_t floats, float low = -1, float high = 1) {
  std::mt19937 engine(1);
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> values(floats);
  for (float& value : values) value = uniform(engine);
  Buffer buffer = Device().Allocate(floats);
  Device().Upload(values, buffer.data());
  return buffer;
}

void Wait(const Buffer& buffer) {
  float value;
  Device().Download(buffer.data(), std::span(&value, 1));
}

/// Seconds of one call of `operation(i)`, i = 0, 1, 2, …, many calls queued at once.
template <typename Operation>
double SecondsOf(const Buffer& result, const Operation& operation) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kOperationsQueued; ++i) operation(static_cast<size_t>(i));
  Wait(result);
  const std::chrono::duration<double> all = std::chrono::steady_clock::now() - start;
  return all.count() / kOperationsQueued;
}

double CopyBytesPerSecond() {
  static const double rate = [] {
    constexpr size_t kFloats = size_t{64} << 20;
    Buffer from = RandomBuffer(kFloats), to = Device().Allocate(kFloats);
    const auto copy = [&](size_t) { Device().Copy(from.data(), to.data(), kFloats); };
    SecondsOf(to, copy);
    return 2 * kFloats * sizeof(float) / SecondsOf(to, copy);
  }();
  return rate;
}

template <typename Operation>
void Measure(benchmark::State& bench, const Buffer& result, double bytes, double multiply_adds,
             const Operation& operation) {
  SecondsOf(result, operation);
  double seconds = 0;
  int64_t rounds = 0;
  for (auto _ : bench) {
    const double one = SecondsOf(result, operation);
    bench.SetIterationTime(one);
    seconds += one;
    ++rounds;
  }
  seconds /= static_cast<double>(rounds);
  bench.counters["GB/s"] = bytes / seconds / 1e9;
  bench.counters["of_copy"] = bytes / seconds / CopyBytesPerSecond();
  bench.counters["TFMA/s"] = multiply_adds / seconds / 1e12;
}

struct Product {
  size_t inputs, outputs;
};

void MatMul(benchmark::State& bench, WeightType type, Product product) {
  const auto rows = static_cast<size_t>(bench.range(0));
  const auto [inputs, outputs] = product;
  std::vector<uint16_t> bits(inputs * outputs * InfoOf(type).block_bytes / 2);
  std::mt19937 engine(2);
  // Of either type, small numbers: exponents around one.
  for (uint16_t& half : bits) half = static_cast<uint16_t>((engine() & 0x80ff) | 0x3f00);
  const WeightView view{reinterpret_cast<const std::byte*>(bits.data()), type, outputs, inputs};
  const size_t bytes = bits.size() * 2;
  std::vector<std::unique_ptr<Matrix>> matrices(std::clamp<size_t>(kBeyondCaches / bytes, 1, 64));
  for (auto& matrix : matrices) matrix = Device().Pack(view);
  Buffer x = RandomBuffer(rows * inputs), out = Device().Allocate(rows * outputs);
  const double moved = static_cast<double>(bytes + (rows * inputs + rows * outputs) * 4);
  Measure(bench, out, moved, static_cast<double>(rows * inputs * outputs), [&](size_t i) {
    Device().MatMul(*matrices[i % matrices.size()], nullptr, Rows{x.data(), rows, inputs, inputs},
                    Epilogue::kStore, {out.data(), rows, outputs, outputs});
  });
}

/// `sequences` sequences of equal length.
Sequences Split(size_t rows, size_t sequences, Buffer& states, size_t state_size) {
  return {Device(), std::vector<size_t>(sequences, rows / sequences), states.data(), state_size};
}

void Scan(benchmark::State& bench) {
  const auto rows = static_cast<size_t>(bench.range(0)),
             sequences = static_cast<size_t>(bench.range(1)),
             channels = static_cast<size_t>(bench.range(2));
  constexpr size_t kStates = 16;
  Buffer x = RandomBuffer(rows * channels), z = RandomBuffer(rows * channels),
         dt = RandomBuffer(rows * channels, 0.001f, 0.1f), b = RandomBuffer(rows * kStates),
         c = RandomBuffer(rows * kStates), a = RandomBuffer(kStates * channels, -16, -1),
         d = RandomBuffer(channels), states = RandomBuffer(sequences * kStates * channels),
         y = Device().Allocate(rows * channels);
  const auto split = Split(rows, sequences, states, kStates * channels);
  const auto view = [&](Buffer& buffer, size_t cols) {
    return Rows{buffer.data(), rows, cols, cols};
  };
  const double bytes =
      4.0 * static_cast<double>(4 * rows * channels + 2 * sequences * kStates * channels);
  Measure(bench, y, bytes, static_cast<double>(rows * channels * kStates), [&](size_t) {
    Device().SelectiveScan({view(x, channels), view(dt, channels), view(b, kStates),
                            view(c, kStates), view(z, channels), a.data(), d.data(), split.table(),
                            0, view(y, channels)});
  });
}

void Mamba2Scan(benchmark::State& bench) {
  const auto rows = static_cast<size_t>(bench.range(0)),
             sequences = static_cast<size_t>(bench.range(1)),
             heads = static_cast<size_t>(bench.range(2));
  constexpr size_t kStates = 128, kWidth = 64;
  const size_t channels = heads * kWidth;
  Buffer x = RandomBuffer(rows * channels), z = RandomBuffer(rows * channels),
         dt = RandomBuffer(rows * heads), b = RandomBuffer(rows * kStates),
         c = RandomBuffer(rows * kStates), a = RandomBuffer(heads, -16, -1),
         bias = RandomBuffer(heads), d = RandomBuffer(channels),
         states = RandomBuffer(sequences * kStates * channels),
         y = Device().Allocate(rows * channels);
  const auto split = Split(rows, sequences, states, kStates * channels);
  const auto view = [&](Buffer& buffer, size_t cols) {
    return Rows{buffer.data(), rows, cols, cols};
  };
  const double bytes =
      4.0 * static_cast<double>(3 * rows * channels + 2 * sequences * kStates * channels);
  Measure(bench, y, bytes, static_cast<double>(2 * rows * channels * kStates), [&](size_t) {
    Device().Mamba2Scan({view(x, channels), view(dt, heads), view(b, kStates), view(c, kStates),
                         view(z, channels), bias.data(), a.data(), d.data(), 0.0f, 1.0f, 1,
                         split.table(), 0, view(y, channels)});
  });
}

void Conv(benchmark::State& bench) {
  const auto rows = static_cast<size_t>(bench.range(0)),
             channels = static_cast<size_t>(bench.range(1));
  constexpr size_t kTaps = 4;
  Buffer x = RandomBuffer(rows * channels), out = Device().Allocate(rows * channels),
         weight = RandomBuffer(kTaps * channels), bias = RandomBuffer(channels),
         state = RandomBuffer((kTaps - 1) * channels);
  const auto split = Split(rows, 1, state, 0);
  Measure(
      bench, out, 8.0 * static_cast<double>(rows * channels),
      static_cast<double>(rows * channels * kTaps), [&](size_t) {
        Device().CausalConv({Rows{x.data(), rows, channels, channels}, weight.data(), bias.data(),
                             kTaps, split.table(), 0, Rows{out.data(), rows, channels, channels}});
      });
}

void Norm(benchmark::State& bench) {
  const auto rows = static_cast<size_t>(bench.range(0)), cols = static_cast<size_t>(bench.range(1));
  Buffer x = RandomBuffer(rows * cols), out = Device().Allocate(rows * cols),
         weight = RandomBuffer(cols);
  Measure(bench, out, 8.0 * static_cast<double>(rows * cols), static_cast<double>(rows * cols),
          [&](size_t) {
            Device().RmsNorm(Rows{x.data(), rows, cols, cols}, weight.data(), 1e-5f,
                             {out.data(), rows, cols, cols});
          });
}

void MatMulSizes(benchmark::internal::Benchmark* bench) {
  for (const int64_t rows : {1, 8, 16, 64, 96, 1024}) bench->Arg(rows);
  bench->ArgName("rows")->UseManualTime()->Unit(benchmark::kMicrosecond);
}
BENCHMARK_CAPTURE(MatMul, f32_in_proj_130m, WeightType::kF32, Product{768, 3072})
    ->Apply(MatMulSizes);
BENCHMARK_CAPTURE(MatMul, f32_x_proj_130m, WeightType::kF32, Product{1536, 80})->Apply(MatMulSizes);
BENCHMARK_CAPTURE(MatMul, f32_dt_proj_130m, WeightType::kF32, Product{48, 1536})
    ->Apply(MatMulSizes);
BENCHMARK_CAPTURE(MatMul, f32_out_proj_130m, WeightType::kF32, Product{1536, 768})
    ->Apply(MatMulSizes);
BENCHMARK_CAPTURE(MatMul, bf16_out_proj_130m, WeightType::kBF16, Product{1536, 768})
    ->Apply(MatMulSizes);
BENCHMARK_CAPTURE(MatMul, bf16_head_130m, WeightType::kBF16, Product{768, 50280})
    ->Apply(MatMulSizes);
BENCHMARK_CAPTURE(MatMul, f32_in_proj_2b8, WeightType::kF32, Product{2560, 10240})
    ->Apply(MatMulSizes);
BENCHMARK_CAPTURE(MatMul, bf16_in_proj_2b8, WeightType::kBF16, Product{2560, 10240})
    ->Apply(MatMulSizes);
BENCHMARK_CAPTURE(MatMul, bf16_out_proj_2b8, WeightType::kBF16, Product{5120, 2560})
    ->Apply(MatMulSizes);
BENCHMARK(Scan)
    ->ArgNames({"rows", "sequences", "channels"})
    ->ArgsProduct({{96, 1024}, {1}, {1536, 5120}})
    ->Args({1, 1, 1536})
    ->Args({96, 96, 1536})
    ->Args({96, 96, 5120})
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(Mamba2Scan)
    ->ArgNames({"rows", "sequences", "heads"})
    ->ArgsProduct({{96, 1024}, {1}, {24, 80}})
    ->Args({1, 1, 24})
    ->Args({96, 96, 24})
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(Conv)
    ->ArgNames({"rows", "channels"})
    ->ArgsProduct({{1, 96, 1024}, {1536, 5120}})
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(Norm)
    ->ArgNames({"rows", "cols"})
    ->ArgsProduct({{1, 96, 1024}, {768, 2560}})
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace statelib::kernels

BENCHMARK_MAIN();
