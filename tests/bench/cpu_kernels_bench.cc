// SPDX-License-Identifier: Apache-2.0
// The operations of published Mamba sizes in every weight format, without a model: prefill and
// decode, each beside what the machine's read bandwidth allows. Weights are random; every layer has
// its own copy, so that they come from memory as they do in a model.
#include <benchmark/benchmark.h>

#include <cstring>
#include <random>
#include <thread>

#include "kernels/aligned.h"
#include "kernels/backends.h"
#include "kernels/limits.h"
#include "tests/kernels/sequences.h"

namespace statelib::kernels {
namespace {

struct Shape {
  const char* name;
  size_t layers, hidden, inner, rank, vocabulary;
  static constexpr size_t states = 16, taps = 4;
};
constexpr Shape kShapes[] = {{"130m", 24, 768, 1536, 48, 50280},
                             {"790m", 48, 1536, 3072, 96, 50280}};

std::vector<float> Random(size_t count, float low, float high) {
  std::mt19937 engine(1);
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(engine);
  return values;
}

/// A matrix of random weights and copies of its packed bytes.
class Copies {
 public:
  Copies(Backend& backend, size_t rows, size_t cols, WeightFormat format, size_t count) {
    const auto values = Random(rows * cols, -0.05f, 0.05f);
    const auto packed = backend.Pack(
        {reinterpret_cast<const std::byte*>(values.data()), WeightType::kF32, rows, cols}, format);
    for (size_t i = 0; i < count; ++i) {
      const auto bytes = packed->packed();
      bytes_ += bytes.size();
      memory_.push_back(AllocateAligned(bytes.size()));
      std::memcpy(memory_.back().get(), bytes.data(), bytes.size());
      matrices_.push_back(backend.Map(packed->description(), {memory_.back().get(), bytes.size()}));
    }
  }
  const Matrix& operator[](size_t i) const { return *matrices_[i]; }
  size_t bytes() const { return bytes_; }

 private:
  std::vector<AlignedBytes> memory_;
  std::vector<std::unique_ptr<Matrix>> matrices_;
  size_t bytes_ = 0;
};

/// The layers of a Mamba model and its head.
class Network {
 public:
  Network(const Shape& shape, WeightFormat format, size_t rows_max, int threads)
      : shape_(shape),
        backend_(MakeCpuBackend(threads)),
        in_(*backend_, 2 * shape.inner, shape.hidden, format, shape.layers),
        x_proj_(*backend_, shape.rank + 2 * Shape::states, shape.inner, Small(format),
                shape.layers),
        dt_(*backend_, shape.inner, shape.rank, Small(format), shape.layers),
        out_(*backend_, shape.hidden, shape.inner, format, shape.layers),
        head_(*backend_, shape.vocabulary, shape.hidden, format, 1),
        conv_(Fill(Shape::taps * shape.inner, -1, 1)),
        norm_(Fill(shape.inner, 0.5f, 1)),
        a_(Fill(Shape::states * shape.inner, -16, -1)),
        residual_(Fill(rows_max * shape.hidden, -1, 1)),
        normed_(Fill(rows_max * shape.hidden, -1, 1)),
        x_and_z_(Fill(rows_max * 2 * shape.inner, -1, 1)),
        x_(Fill(rows_max * shape.inner, -1, 1)),
        dt_b_c_(Fill(rows_max * (shape.rank + 2 * Shape::states), -1, 1)),
        dt_rows_(Fill(rows_max * shape.inner, 0, 1)),
        conv_state_(Fill(shape.layers * rows_max * 3 * shape.inner, -1, 1)),
        state_(Fill(shape.layers * rows_max * Shape::states * shape.inner, -1, 1)),
        logits_(Fill(rows_max * shape.vocabulary, 0, 0)) {}

  size_t body_bytes() const { return in_.bytes() + x_proj_.bytes() + dt_.bytes() + out_.bytes(); }
  size_t bytes() const { return body_bytes() + head_.bytes(); }
  std::string backend() const { return backend_->name(); }

  /// One step of `sequences` sequences with `rows` rows each.
  void Advance(size_t sequences, size_t rows) {
    const size_t all = sequences * rows, d = shape_.hidden, e = shape_.inner, r = shape_.rank,
                 n = Shape::states;
    const Rows residual{residual_.data(), all, d, d}, normed{normed_.data(), all, d, d};
    const Rows x_and_z{x_and_z_.data(), all, 2 * e, 2 * e}, x{x_.data(), all, e, e};
    const Rows dt_b_c{dt_b_c_.data(), all, r + 2 * n, r + 2 * n}, dt{dt_rows_.data(), all, e, e};
    for (size_t layer = 0; layer < shape_.layers; ++layer) {
      const std::vector<size_t> lengths(sequences, rows);
      const Sequences conv_states(*backend_, lengths,
                                  conv_state_.data() + layer * sequences * 3 * e, 3 * e),
          states(*backend_, lengths, state_.data() + layer * sequences * n * e, n * e);
      backend_->RmsNorm(residual, norm_.data(), 1e-5f, normed);
      backend_->MatMul(in_[layer], nullptr, normed, Epilogue::kStore, x_and_z);
      backend_->CausalConv({x_and_z.Columns(0, e), conv_.data(), norm_.data(), Shape::taps,
                            conv_states.table(), 0, x});
      backend_->MatMul(x_proj_[layer], nullptr, x, Epilogue::kStore, dt_b_c);
      backend_->MatMul(dt_[layer], norm_.data(), dt_b_c.Columns(0, r), Epilogue::kSoftplus, dt);
      backend_->SelectiveScan({x, dt, dt_b_c.Columns(r, n), dt_b_c.Columns(r + n, n),
                               x_and_z.Columns(e, e), a_.data(), norm_.data(), states.table(), 0,
                               x});
      backend_->MatMul(out_[layer], nullptr, x, Epilogue::kStore, residual);
    }
  }
  void Logits(size_t rows) {
    backend_->MatMul(head_[0], nullptr, Rows{residual_.data(), rows, shape_.hidden, shape_.hidden},
                     Epilogue::kStore,
                     {logits_.data(), rows, shape_.vocabulary, shape_.vocabulary});
  }

 private:
  static WeightFormat Small(WeightFormat format) {
    return format == WeightFormat::kF32 ? format : WeightFormat::kBF16;
  }
  Buffer Fill(size_t count, float low, float high) {
    Buffer buffer = backend_->Allocate(count);
    backend_->Upload(Random(count, low, high), buffer.data());
    return buffer;
  }

  Shape shape_;
  std::unique_ptr<Backend> backend_;
  Copies in_, x_proj_, dt_, out_, head_;
  Buffer conv_, norm_, a_;
  Buffer residual_, normed_, x_and_z_, x_, dt_b_c_, dt_rows_, conv_state_, state_, logits_;
};

int Threads() { return static_cast<int>(std::thread::hardware_concurrency()); }

void Report(benchmark::State& bench, const Network& network, size_t tokens, size_t bytes) {
  using benchmark::Counter;
  bench.counters["tokens/s"] =
      Counter(static_cast<double>(tokens), Counter::kIsIterationInvariantRate);
  bench.counters["GB/s"] =
      Counter(1e-9 * static_cast<double>(bytes), Counter::kIsIterationInvariantRate);
  bench.SetLabel(network.backend());
}

void Prefill(benchmark::State& bench, const Shape& shape, WeightFormat format) {
  const auto rows = static_cast<size_t>(bench.range(0));
  Network network(shape, format, rows, Threads());
  for (auto _ : bench) network.Advance(1, rows);
  Report(bench, network, rows, network.body_bytes());
}

void Decode(benchmark::State& bench, const Shape& shape, WeightFormat format) {
  const auto sequences = static_cast<size_t>(bench.range(0));
  Network network(shape, format, sequences, Threads());
  for (auto _ : bench) {
    network.Advance(sequences, 1);
    network.Logits(sequences);
  }
  Report(bench, network, sequences, network.bytes());
}

/// How fast memory is read when nothing is done with it.
void ReadBandwidth(benchmark::State& bench) {
  constexpr size_t kBytes = size_t{1} << 29;
  double best = 0;
  for (auto _ : bench) best = std::max(best, MeasureReadBytesPerSecond(Threads(), kBytes));
  bench.counters["GB/s"] = 1e-9 * best;
}

void MultiplyRate(benchmark::State& bench) {
  double best = 0;
  for (auto _ : bench)
    best = std::max(best, MeasureMultiplyAddsPerSecond(Arithmetic::kF32, Threads()));
  bench.counters["f32 multiply-adds/s"] = best;
}

void RegisterAll() {
  benchmark::RegisterBenchmark("ReadBandwidth", ReadBandwidth)->Iterations(1);
  benchmark::RegisterBenchmark("MultiplyRate", MultiplyRate)->Iterations(1);
  for (const Shape& shape : kShapes) {
    for (const WeightFormat format :
         {WeightFormat::kF32, WeightFormat::kBF16, WeightFormat::kInt8, WeightFormat::kInt4}) {
      const std::string label = std::string(shape.name) + "_" + NameOf(format);
      const auto add = [&](const char* what, auto run, std::vector<int64_t> sizes) {
        benchmark::RegisterBenchmark(
            (what + ("/" + label)).c_str(),
            [run, shape, format](benchmark::State& bench) { run(bench, shape, format); })
            ->ArgsProduct({sizes})
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
      };
      add("Prefill", Prefill, {48, 96, 192});
      add("Decode", Decode, {1, 4, 16, 64});
    }
  }
}

}  // namespace
}  // namespace statelib::kernels

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  statelib::kernels::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
}
