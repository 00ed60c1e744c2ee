// SPDX-License-Identifier: Apache-2.0
// Mamba-1's scan on the GPU: the bits of a row and of the state after it depend on the sequence's
// tokens alone, whatever the kernel, the cut, the batch and the slot; errors stay within the bound
// of kernels/cuda/mamba1_scan.h.
#include "kernels/cuda/mamba1_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include "kernels/backends.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/tensor_product.h"
#include "tests/kernels/device_values.h"

namespace statelib::kernels::cuda {
namespace {

/// One kernel, or the choice of the launch.
using By = std::optional<Mamba1Kernel>;
constexpr By kKernels[] = {Mamba1Kernel::kRows, Mamba1Kernel::kFewRows, std::nullopt};

void Launch(const Mamba1ScanArgs& args, By kernel) {
  kernel ? LaunchMamba1Scan(args, *kernel) : LaunchMamba1Scan(args);
}

constexpr size_t kAll = SIZE_MAX;

/// A layer and rows of activations, on the host.
struct Layer {
  Layer(size_t rows_in, size_t channels_in, size_t states_in, bool with_bias_in = true,
        uint32_t seed = 1)
      : rows(rows_in),
        channels(channels_in),
        states(states_in),
        with_bias(with_bias_in),
        x(RandomBF16(rows * x_stride(), seed)),
        z(RandomBF16(rows * x_stride(), seed + 1)),
        bc(RandomBF16(rows * bc_stride(), seed + 2)),
        dt(with_bias ? Uniform(rows * channels, -3, 3, seed + 3)
                     : Uniform(rows * channels, 0.0005f, 0.2f, seed + 3)),
        bias(Uniform(channels, -6, -1, seed + 4)),
        a(Uniform(channels * states, -16, -0.5f, seed + 5)),
        d(Uniform(channels, -1, 1, seed + 6)) {}

  size_t x_stride() const { return channels + 8; }
  size_t bc_stride() const { return 2 * states + 16; }

  size_t rows, channels, states;
  bool with_bias;
  std::vector<uint16_t> x, z, bc;
  std::vector<float> dt, bias, a, d;
};

/// What a run leaves: y of all rows, padding included, and states of all sequences.
struct Result {
  std::vector<uint16_t> y;
  std::vector<float> states;
};

struct Sequence {
  size_t first_row, rows;
};

/// A layer on the device.
class OnDevice {
 public:
  explicit OnDevice(const Layer& layer)
      : layer_(layer),
        x_(ToDevice(layer.x)),
        z_(ToDevice(layer.z)),
        bc_(ToDevice(layer.bc)),
        dt_(ToDevice(layer.dt)),
        bias_(ToDevice(layer.bias)),
        a_(ToDevice(layer.a)),
        d_(ToDevice(layer.d)) {}

  Mamba1ScanArgs Args(const DeviceBytes& table, size_t count, size_t longest, uint16_t* y) const {
    const auto* bc = At<uint16_t>(bc_);
    return {{At<uint16_t>(x_), layer_.x_stride()},
            {At<uint16_t>(z_), layer_.x_stride()},
            {At<float>(dt_), layer_.channels},
            {bc + 8, layer_.bc_stride()},
            {bc + 8 + layer_.states, layer_.bc_stride()},
            layer_.with_bias ? At<float>(bias_) : nullptr,
            At<float>(a_),
            At<float>(d_),
            layer_.rows,
            layer_.channels,
            layer_.states,
            At<DeviceSequence>(table),
            count,
            longest,
            {y, layer_.x_stride()},
            Multiprocessors(),
            kStream};
  }

  /// Every sequence in calls of at most `cut` rows, side by side.
  Result Run(const std::vector<Sequence>& sequences, size_t cut, By kernel,
             const std::vector<float>& before) const {
    const DeviceBytes y = ToDevice(std::vector<uint16_t>(layer_.rows * layer_.x_stride(), 0x7fc1));
    const DeviceBytes states = ToDevice(before);
    size_t longest = 0;
    for (const Sequence& sequence : sequences) longest = std::max(longest, sequence.rows);
    for (size_t first = 0; first < longest; first += std::min(cut, longest)) {
      std::vector<DeviceSequence> table;
      for (size_t i = 0; i < sequences.size(); ++i) {
        const size_t begin = std::min(first, sequences[i].rows);
        const size_t rows = std::min(cut, sequences[i].rows - begin);
        table.push_back({static_cast<uint32_t>(sequences[i].first_row + begin),
                         static_cast<uint32_t>(rows),
                         At<float>(states) + i * layer_.channels * layer_.states});
      }
      const DeviceBytes on_device = ToDevice(table);
      Launch(Args(on_device, table.size(), std::min(cut, longest), At<uint16_t>(y)), kernel);
      CheckCuda(cudaDeviceSynchronize(), "scan");
    }
    return {FromDevice<uint16_t>(y, layer_.rows * layer_.x_stride()),
            FromDevice<float>(states, before.size())};
  }

  const DeviceBytes& x() const { return x_; }

 private:
  const Layer& layer_;
  DeviceBytes x_, z_, bc_, dt_, bias_, a_, d_;
};

std::vector<float> StatesOf(const Layer& layer, size_t sequences) {
  return Uniform(sequences * layer.channels * layer.states, -2, 2, 99);
}

class Mamba1Scan : public testing::Test {
 protected:
  void SetUp() override {
    if (CudaDevices().empty()) GTEST_SKIP() << "NO GPU: Mamba-1's bf16 scan is not tested here";
    if (!HasTensorCodeForDevice()) GTEST_SKIP() << "no bf16 kernels for this GPU";
  }
};

void ExpectSame(const Result& got, const Result& want, const std::string& what) {
  ASSERT_EQ(FirstDifference(got.states, want.states), "") << what << ": states";
  ASSERT_EQ(FirstDifference(got.y, want.y), "") << what << ": y";
}

void ExpectSameBitsForEveryCut(const Layer& layer) {
  const OnDevice device(layer);
  const std::vector<Sequence> whole{{0, layer.rows}};
  const std::vector<float> before = StatesOf(layer, 1);
  const Result want = device.Run(whole, kAll, Mamba1Kernel::kFewRows, before);
  for (const By kernel : kKernels) {
    for (const size_t cut : {size_t{1}, size_t{7}, size_t{64}, kAll}) {
      ExpectSame(device.Run(whole, cut, kernel, before), want,
                 std::to_string(layer.channels) + " channels, " + std::to_string(layer.states) +
                     " states, kernel " +
                     (kernel ? std::to_string(static_cast<int>(*kernel)) : "chosen") + ", cut " +
                     std::to_string(cut));
    }
  }
}

TEST_F(Mamba1Scan, SameBitsForEveryCutAndKernel) {
  for (const size_t channels : {8, 40, 200, 1536, 3080, 4096, 5120, 8192})
    ExpectSameBitsForEveryCut(Layer(131, channels, 16));
  ExpectSameBitsForEveryCut(Layer(131, 5120, 16, false));
  ExpectSameBitsForEveryCut(Layer(131, 1536, 16, false));
  ExpectSameBitsForEveryCut(Layer(1000, 2048, 16));
}

TEST_F(Mamba1Scan, SameBitsForEveryNumberOfStates) {
  for (const size_t states : {8, 24, 32, 64, 128, 256}) {
    ExpectSameBitsForEveryCut(Layer(70, 72, states));
    ExpectSameBitsForEveryCut(Layer(70, 5120, states, false));
  }
}

TEST_F(Mamba1Scan, SameBitsInEveryBatchAndSlot) {
  const std::vector<Sequence> sequences{{0, 100},  {100, 1}, {101, 0}, {101, 333},
                                        {434, 16}, {450, 8}, {458, 2}, {460, 65}};
  for (const size_t channels : {264, 1536}) {
    const Layer layer(525, channels, 16);
    const OnDevice device(layer);
    const size_t state_size = channels * layer.states;
    const std::vector<float> before = StatesOf(layer, sequences.size());
    Result alone{std::vector<uint16_t>(layer.rows * layer.x_stride(), 0x7fc1), before};
    for (size_t i = 0; i < sequences.size(); ++i) {
      const auto state = before.begin() + static_cast<std::ptrdiff_t>(i * state_size);
      const Result one = device.Run({sequences[i]}, kAll, Mamba1Kernel::kRows,
                                    {state, state + static_cast<std::ptrdiff_t>(state_size)});
      std::copy(one.states.begin(), one.states.end(),
                alone.states.begin() + static_cast<std::ptrdiff_t>(i * state_size));
      for (size_t at = 0; at < one.y.size(); ++at)
        if (one.y[at] != 0x7fc1) alone.y[at] = one.y[at];
    }
    for (const By kernel : kKernels) {
      for (const size_t cut : {size_t{1}, size_t{50}, kAll})
        ExpectSame(device.Run(sequences, cut, kernel, before), alone, "batch");
    }
  }
}

TEST_F(Mamba1Scan, RunsAgainWithTheSameBits) {
  const Layer layer(2100, 5120, 16);
  const OnDevice device(layer);
  const std::vector<float> before = StatesOf(layer, 1);
  const Result want = device.Run({{0, layer.rows}}, kAll, Mamba1Kernel::kFewRows, before);
  for (int i = 0; i < 5; ++i)
    ExpectSame(device.Run({{0, layer.rows}}, kAll, Mamba1Kernel::kRows, before), want, "again");
}

/// The recurrence of one channel in double precision, with the bound of the contract beside it.
struct Exact {
  double state = 0, error = 0;
  void Step(double dt, double a, double dtx_b, double dt_error) {
    const double decay = std::exp(dt * a), before = std::abs(state);
    const double of_dt = std::abs(dt * a) * dt_error;
    error = decay * error + decay * before * (kDecayError + std::abs(dt * a) * 0x1p-22 + of_dt) +
            std::abs(dtx_b) * (0x1p-23 + dt_error) + 0x1p-126 * (before + 1);
    state = decay * state + dtx_b;
    error += (std::abs(state) + error) * 0x1p-24;
  }
};

double Softplus(double v) { return std::max(v, 0.0) + std::log1p(std::exp(-std::abs(v))); }

/// Largest error of a state over its bound, and of y over what bf16 rounds off and the states'
/// errors bring.
void ExpectWithinBound(const Layer& layer) {
  const OnDevice device(layer);
  const std::vector<float> before = StatesOf(layer, 1);
  const Result got = device.Run({{0, layer.rows}}, kAll, Mamba1Kernel::kRows, before);
  double worst_state = 0, worst_y = 0;
  for (size_t e = 0; e < layer.channels; ++e) {
    std::vector<Exact> states(layer.states);
    for (size_t n = 0; n < layer.states; ++n)
      states[n].state = static_cast<double>(before[n * layer.channels + e]);
    for (size_t t = 0; t < layer.rows; ++t) {
      double dt = static_cast<double>(layer.dt[t * layer.channels + e]), dt_error = 0;
      if (layer.with_bias) {
        const double v = dt + static_cast<double>(layer.bias[e]);
        dt = Softplus(v);
        dt_error = kSoftplusError + std::abs(v) * 0x1p-22;
      }
      const double x = static_cast<double>(FromBF16(layer.x[t * layer.x_stride() + e]));
      const double z = static_cast<double>(FromBF16(layer.z[t * layer.x_stride() + e]));
      const uint16_t* bc = layer.bc.data() + t * layer.bc_stride() + 8;
      double sum = static_cast<double>(layer.d[e]) * x, size = std::abs(sum), error = 0;
      for (size_t n = 0; n < layer.states; ++n) {
        const double b = static_cast<double>(FromBF16(bc[n])),
                     c = static_cast<double>(FromBF16(bc[layer.states + n]));
        states[n].Step(dt, static_cast<double>(layer.a[n * layer.channels + e]), dt * x * b,
                       dt_error);
        sum += states[n].state * c;
        size += std::abs(states[n].state * c);
        error += states[n].error * std::abs(c);
      }
      const double gate = z / (1 + std::exp(-z)), y = sum * gate;
      const double bound =
          std::abs(y) * 0x1p-8 +
          (error + size * static_cast<double>(layer.states + 8) * 0x1p-24) * std::abs(gate) +
          std::abs(y) * 0x1p-19;
      const double of_y = static_cast<double>(FromBF16(got.y[t * layer.x_stride() + e])) - y;
      worst_y = std::max(worst_y, std::abs(of_y) / bound);
    }
    for (size_t n = 0; n < layer.states; ++n) {
      const double of_state =
          static_cast<double>(got.states[n * layer.channels + e]) - states[n].state;
      worst_state = std::max(worst_state, std::abs(of_state) / states[n].error);
    }
  }
  std::printf("%zu rows: states at most %.3f of the bound, y %.3f\n", layer.rows, worst_state,
              worst_y);
  EXPECT_LE(worst_state, 1);
  EXPECT_LE(worst_y, 1);
}

TEST_F(Mamba1Scan, StaysWithinTheBoundOfDoublePrecision) {
  ExpectWithinBound(Layer(500, 64, 16));
  ExpectWithinBound(Layer(500, 64, 16, false));
  ExpectWithinBound(Layer(40, 64, 128));
  Layer slow(3000, 64, 16, false);  // states that forget little
  for (float& a : slow.a) a *= 0.01f;
  ExpectWithinBound(slow);
  Layer large(200, 64, 16);  // time steps beyond softplus's bend, decays that vanish
  for (float& dt : large.dt) dt *= 30;
  ExpectWithinBound(large);
}

TEST_F(Mamba1Scan, KeepsSubnormalStatesAndSignsOfZero) {
  Layer layer(100, 64, 16, false);
  for (uint16_t& x : layer.x) x = 0x8000;  // -0: the state only decays
  for (float& dt : layer.dt) dt = 0.01f;
  for (float& a : layer.a) a = -1;
  const OnDevice device(layer);
  const size_t size = layer.channels * layer.states;
  std::vector<float> before(size);
  for (size_t i = 0; i < size; ++i)
    before[i] = std::array{1e-39f, -3e-40f, -0.0f, 0.0f, 1.4e-45f}[i % 5];
  const Result want = device.Run({{0, 100}}, 1, Mamba1Kernel::kFewRows, before);
  for (const size_t cut : {size_t{3}, kAll})
    ExpectSame(device.Run({{0, 100}}, cut, Mamba1Kernel::kRows, before), want, "subnormal");
  for (size_t i = 0; i < size; i += 5) {
    EXPECT_GT(want.states[i], 3.5e-40f);
    EXPECT_LT(want.states[i], 3.8e-40f);
  }
}

TEST_F(Mamba1Scan, TakesExtremeTimeStepsAlikeInBothKernels) {
  Layer layer(90, 64, 16, false);
  const float extremes[] = {0.0f, 1e-45f, 1e-38f, 1e-6f, 50.0f, 1e5f, 3e38f};
  for (size_t i = 0; i < layer.dt.size(); i += 3) layer.dt[i] = extremes[i / 3 % 7];
  for (size_t n = 0; n < 16; ++n) layer.a[n * 64 + 9] = n % 2 == 0 ? -1e38f : -1e-38f;
  layer.a[10] = -std::numeric_limits<float>::infinity();
  ExpectSameBitsForEveryCut(layer);
  Layer raw(90, 64, 16);
  const float raws[] = {-200.0f, -88.0f, 0.0f, 20.0f, 100.0f, 1e30f, -1e30f};
  for (size_t i = 0; i < raw.dt.size(); i += 3) raw.dt[i] = raws[i / 3 % 7];
  ExpectSameBitsForEveryCut(raw);
}

TEST_F(Mamba1Scan, WhatIsNotFiniteStaysInItsChannel) {
  Layer layer(60, 48, 16);
  const OnDevice clean(layer);
  const std::vector<float> before = StatesOf(layer, 1);
  const Result want = clean.Run({{0, 60}}, kAll, Mamba1Kernel::kRows, before);
  layer.x[30 * layer.x_stride() + 17] = 0x7f80;
  const OnDevice device(layer);
  for (const By kernel : kKernels) {
    const Result got = device.Run({{0, 60}}, kAll, kernel, before);
    for (size_t t = 0; t < 60; ++t) {
      for (size_t e = 0; e < 48; ++e) {
        const size_t at = t * layer.x_stride() + e;
        if (e == 17 && t >= 30) {
          EXPECT_FALSE(std::isfinite(FromBF16(got.y[at])));
        } else {
          ASSERT_EQ(got.y[at], want.y[at]) << t << ' ' << e;
        }
      }
    }
  }
}

TEST_F(Mamba1Scan, WritesYOverXWithTheSameBits) {
  const Layer layer(300, 1536, 16);
  const OnDevice device(layer);
  const std::vector<float> before = StatesOf(layer, 1);
  const Result want = device.Run({{0, 300}}, kAll, Mamba1Kernel::kRows, before);
  for (const By kernel : kKernels) {
    const OnDevice again(layer);
    const DeviceBytes states = ToDevice(before);
    const DeviceBytes table = ToDevice(std::vector<DeviceSequence>{{0, 300, At<float>(states)}});
    Launch(again.Args(table, 1, 300, At<uint16_t>(again.x())), kernel);
    const auto y = FromDevice<uint16_t>(again.x(), layer.x.size());
    for (size_t t = 0; t < layer.rows; ++t) {
      for (size_t e = 0; e < layer.channels; ++e) {
        const size_t at = t * layer.x_stride() + e;
        ASSERT_EQ(y[at], want.y[at]) << t << ' ' << e;
      }
    }
  }
}

TEST_F(Mamba1Scan, RefusesWhatItCannotTake) {
  const Layer layer(4, 64, 16);
  const OnDevice device(layer);
  const DeviceBytes states = ToDevice(StatesOf(layer, 1));
  const DeviceBytes table = ToDevice(std::vector<DeviceSequence>{{0, 4, At<float>(states)}});
  const DeviceBytes y = AllocateDevice(layer.x.size() * 2);
  const auto expect = [&](const auto& change, const std::string& text) {
    Mamba1ScanArgs args = device.Args(table, 1, 4, At<uint16_t>(y));
    change(args);
    try {
      LaunchMamba1Scan(args);
      ADD_FAILURE() << "no error of: " << text;
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(text));
    }
  };
  expect([](Mamba1ScanArgs& args) { args.channels = 60; }, "d_inner is a multiple of 8");
  expect([](Mamba1ScanArgs& args) { args.states = 12; }, "d_state is a multiple of 8");
  expect([](Mamba1ScanArgs& args) { args.states = 264; }, "d_state is a multiple of 8 up to 256");
  expect([](Mamba1ScanArgs& args) { args.sequence_count = 0; }, "sequences, got 0");
  expect([](Mamba1ScanArgs& args) { args.x.data += 1; }, "rows of x begin on multiples of 16");
  expect([](Mamba1ScanArgs& args) { args.z.stride = 65; }, "rows of z begin on multiples of 16");
  expect([](Mamba1ScanArgs& args) { args.b.stride = 20; }, "rows of B begin on multiples of 16");
  expect([](Mamba1ScanArgs& args) { args.dt.stride = 65; }, "rows of dt begin on multiples of 16");
}

}  // namespace
}  // namespace statelib::kernels::cuda
