// SPDX-License-Identifier: Apache-2.0
// Mamba-2's prefill at published sizes: the recurrence over a block of tokens beside the products
// of the same layer.
#include <benchmark/benchmark.h>

#include <random>
#include <thread>

#include "kernels/backends.h"
#include "tests/kernels/sequences.h"

namespace statelib::kernels {
namespace {

constexpr size_t kRows = 192;

struct Shape {
  const char* name;
  size_t hidden, heads, groups;
  static constexpr size_t width = 64, states = 128;
  size_t inner() const { return heads * width; }
  size_t projected() const { return 2 * inner() + 2 * groups * states + heads; }
};
constexpr Shape kShapes[] = {
    {"mamba2-130m", 768, 24, 1}, {"mamba2-2.7b", 2560, 80, 1}, {"codestral-7b", 4096, 128, 8}};

/// One layer's weights and activations.
class Layer {
 public:
  Layer(const Shape& shape, WeightFormat format)
      : shape_(shape),
        backend_(MakeCpuBackend(static_cast<int>(std::thread::hardware_concurrency()))),
        in_(Pack(shape.projected(), shape.hidden, format)),
        out_(Pack(shape.hidden, shape.inner(), format)),
        normed_(Fill(kRows * shape.hidden, -1, 1)),
        projected_(Fill(kRows * shape.projected(), -1, 1)),
        y_(Fill(kRows * shape.inner(), -1, 1)),
        residual_(Fill(kRows * shape.hidden, -1, 1)),
        state_(Fill(shape.inner() * Shape::states, -1, 1)),
        dt_bias_(Fill(shape.heads, -1, 1)),
        a_(Fill(shape.heads, -16, -1)),
        d_(Fill(shape.inner(), 0, 1)) {}

  void Products() {
    const Rows residual = View(residual_, shape_.hidden);
    backend_->MatMul(*in_, nullptr, View(normed_, shape_.hidden), Epilogue::kStore,
                     View(projected_, shape_.projected()));
    backend_->MatMul(*out_, nullptr, View(y_, shape_.inner()), Epilogue::kAdd, residual);
  }

  void Scan() {
    const size_t e = shape_.inner(), gn = shape_.groups * Shape::states;
    const Rows all = View(projected_, shape_.projected());
    const Sequences sequences(*backend_, {kRows}, state_.data(), 0);
    backend_->Mamba2Scan({all.Columns(e, e), all.Columns(2 * e + 2 * gn, shape_.heads),
                          all.Columns(2 * e, gn), all.Columns(2 * e + gn, gn), all.Columns(0, e),
                          dt_bias_.data(), a_.data(), d_.data(), 0.0f, 1e30f, shape_.groups,
                          sequences.table(), 0, View(y_, e)});
  }

 private:
  static std::vector<float> Random(size_t count, float low, float high) {
    std::mt19937 engine(1);
    std::uniform_real_distribution<float> uniform(low, high);
    std::vector<float> values(count);
    for (float& value : values) value = uniform(engine);
    return values;
  }
  std::unique_ptr<Matrix> Pack(size_t rows, size_t cols, WeightFormat format) {
    const auto values = Random(rows * cols, -0.05f, 0.05f);
    return backend_->Pack(
        {reinterpret_cast<const std::byte*>(values.data()), WeightType::kF32, rows, cols}, format);
  }
  Buffer Fill(size_t count, float low, float high) {
    Buffer buffer = backend_->Allocate(count);
    const auto values = Random(count, low, high);
    std::copy(values.begin(), values.end(), buffer.data());
    return buffer;
  }
  static Rows View(Buffer& buffer, size_t cols) { return {buffer.data(), kRows, cols, cols}; }

  Shape shape_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Matrix> in_, out_;
  Buffer normed_, projected_, y_, residual_, state_, dt_bias_, a_, d_;
};

void RegisterAll() {
  for (const Shape& shape : kShapes) {
    const auto add = [&](const std::string& what, WeightFormat format, void (Layer::*run)()) {
      benchmark::RegisterBenchmark(
          (what + "/" + shape.name).c_str(),
          [=](benchmark::State& bench) {
            Layer layer(shape, format);
            for (auto _ : bench) (layer.*run)();
            bench.counters["us/token"] = benchmark::Counter(
                static_cast<double>(kRows) * 1e-6,
                benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
          })
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    };
    for (const WeightFormat format : {WeightFormat::kF32, WeightFormat::kBF16, WeightFormat::kInt8})
      add("Products_" + std::string(NameOf(format)), format, &Layer::Products);
    add("Mamba2Scan", WeightFormat::kInt8, &Layer::Scan);
  }
}

}  // namespace
}  // namespace statelib::kernels

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  statelib::kernels::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
}
