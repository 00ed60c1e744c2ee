// SPDX-License-Identifier: Apache-2.0
// Mamba-2's chunked scan on the GPU: the bits of a row and of the state after it depend on the
// sequence's tokens and their positions alone, whatever the kernel, the cut, the batch and the
// slot; a scalar program has the same ones where nothing decays; errors stay within the bound of
// kernels/cuda/mamba2_chunk_scan.h.
#include "kernels/cuda/mamba2_chunk_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/backends.h"
#include "kernels/cuda/tensor_product.h"
#include "kernels/reference/tensor_sum.h"
#include "tests/kernels/mamba2_exact_head.h"

namespace statelib::kernels::cuda {
namespace {

class Mamba2ChunkScan : public testing::Test {
 protected:
  void SetUp() override {
    if (CudaDevices().empty()) GTEST_SKIP() << "NO GPU: Mamba-2's bf16 scan is not tested here";
    if (!HasTensorCodeForDevice()) GTEST_SKIP() << "no bf16 kernels for this GPU";
  }
};

void ExpectSame(const Result& got, const Result& want, const std::string& what) {
  ASSERT_EQ(FirstDifference(got.states, want.states), "") << what << ": states";
  ASSERT_EQ(FirstDifference(got.y, want.y), "") << what << ": y";
}

std::string NameOf(const Layer& layer, By kernel, size_t cut) {
  const Mamba2ChunkShape& shape = layer.shape;
  return std::to_string(shape.heads) + " heads of " + std::to_string(shape.width) + ", " +
         std::to_string(shape.states) + " states, " + std::to_string(shape.groups) +
         " groups, kernel " + (kernel ? std::to_string(static_cast<int>(*kernel)) : "chosen") +
         ", cut " + std::to_string(cut);
}

void ExpectSameBitsForEveryCut(const Layer& layer) {
  const OnDevice device(layer);
  const std::vector<Sequence> whole{{0, layer.rows}};
  const std::vector<uint32_t> before = StatesOf(layer, 1);
  const Result want = device.Run(whole, 1, Mamba2Kernel::kFewRows, before);
  for (const By kernel : kKernels) {
    for (const size_t cut : {size_t{1}, size_t{3}, size_t{50}, size_t{64}, size_t{100}, kAll})
      ExpectSame(device.Run(whole, cut, kernel, before), want, NameOf(layer, kernel, cut));
  }
}

TEST_F(Mamba2ChunkScan, SameBitsForEveryCutAndKernel) {
  ExpectSameBitsForEveryCut(Layer(331, {24, 64, 128, 1}));
  ExpectSameBitsForEveryCut(Layer(200, {16, 64, 128, 8}));
  ExpectSameBitsForEveryCut(Layer(64, {3, 64, 128, 1}));
  ExpectSameBitsForEveryCut(Layer(1, {3, 64, 128, 1}));
  Layer bare(150, {6, 64, 128, 2});
  bare.has_gate = bare.has_skip = false;
  ExpectSameBitsForEveryCut(bare);
}

TEST_F(Mamba2ChunkScan, SameBitsForEveryShape) {
  for (const Mamba2ChunkShape shape : {Mamba2ChunkShape{6, 32, 16, 1},
                                       {4, 128, 64, 2},
                                       {3, 40, 8, 3},
                                       {2, 72, 104, 1},
                                       {5, 200, 24, 1}})
    ExpectSameBitsForEveryCut(Layer(140, shape));
}

TEST_F(Mamba2ChunkScan, SameBitsInEveryBatchAndSlot) {
  const std::vector<Sequence> sequences{{0, 100},  {100, 1}, {101, 0}, {101, 333},
                                        {434, 64}, {498, 8}, {506, 2}, {508, 129}};
  for (const Mamba2ChunkShape shape : {Mamba2ChunkShape{24, 64, 128, 1}, {8, 64, 128, 8}}) {
    const Layer layer(637, shape);
    const OnDevice device(layer);
    const size_t words = shape.StateBytes() / 4;
    const std::vector<uint32_t> before = StatesOf(layer, sequences.size());
    Result alone{std::vector<uint16_t>(layer.x.size(), kUnwritten), before};
    for (size_t i = 0; i < sequences.size(); ++i) {
      const auto state = before.begin() + static_cast<std::ptrdiff_t>(i * words);
      const Result one = device.Run({sequences[i]}, kAll, Mamba2Kernel::kRows,
                                    {state, state + static_cast<std::ptrdiff_t>(words)});
      std::copy(one.states.begin(), one.states.end(),
                alone.states.begin() + static_cast<std::ptrdiff_t>(i * words));
      for (size_t at = 0; at < one.y.size(); ++at)
        if (one.y[at] != kUnwritten) alone.y[at] = one.y[at];
    }
    for (const By kernel : kKernels) {
      for (const size_t cut : {size_t{1}, size_t{50}, kAll})
        ExpectSame(device.Run(sequences, cut, kernel, before), alone, NameOf(layer, kernel, cut));
    }
  }
}

TEST_F(Mamba2ChunkScan, RunsAgainWithTheSameBits) {
  const Layer layer(2100, {80, 64, 128, 1});
  const OnDevice device(layer);
  const std::vector<uint32_t> before = StatesOf(layer, 1);
  const Result want = device.Run({{0, layer.rows}}, kAll, Mamba2Kernel::kFewRows, before);
  for (int i = 0; i < 5; ++i)
    ExpectSame(device.Run({{0, layer.rows}}, kAll, Mamba2Kernel::kRows, before), want, "again");
}

/// C · B or C · S from +0, sixteen products a step.
float TensorDot(const std::vector<uint16_t>& left, const std::vector<uint16_t>& right) {
  return reference::TensorSum(left, right, 4096);
}

/// One head whose tokens do not decay and whose time steps are 0.5, by the contract's order.
struct Undecayed {
  const Layer& layer;
  std::vector<float> s;  // [N, P]

  void Chunk(size_t first, size_t tokens, const std::vector<uint16_t>& got) {
    const size_t width = layer.shape.width, states = layer.shape.states;
    const auto row_of = [&](size_t t, bool is_c) {
      const uint16_t* from = layer.B(first + t, 0) + (is_c ? layer.bc_width() : 0);
      return std::vector<uint16_t>(from, from + states);
    };
    for (size_t t = 0; t < tokens; ++t) {
      std::vector<uint16_t> weights(t / 16 * 16 + 16, 0);
      for (size_t i = 0; i <= t; ++i)
        weights[i] = ToBF16(TensorDot(row_of(t, true), row_of(i, false)) * 0.5f);
      for (size_t p = 0; p < width; ++p) {
        std::vector<uint16_t> of_s(states), x(weights.size(), 0);
        for (size_t n = 0; n < states; ++n) of_s[n] = ToBF16(s[n * width + p]);
        for (size_t i = 0; i <= t; ++i) x[i] = layer.x[(first + i) * layer.x_stride() + p];
        float y = TensorDot(row_of(t, true), of_s);
        for (size_t i = 0; i < x.size(); i += 16)
          y = reference::AddTensorStep(y, std::span(weights).subspan(i, 16),
                                       std::span(x).subspan(i, 16));
        y = std::fma(layer.d[p], FromBF16(x[t]), y);
        ASSERT_EQ(got[(first + t) * layer.x_stride() + p], ToBF16(y)) << first + t << ' ' << p;
      }
    }
    if (tokens == kChunkTokens) Advance(first);
  }

  void Advance(size_t first) {
    const size_t width = layer.shape.width;
    for (size_t p = 0; p < width; ++p) {
      std::vector<uint16_t> high, low, b(16);
      for (size_t t = 0; t < kChunkTokens; ++t) {
        const float v = 0.5f * FromBF16(layer.x[(first + t) * layer.x_stride() + p]);
        high.push_back(ToBF16(v));
        low.push_back(ToBF16(v - FromBF16(high.back())));
      }
      for (size_t n = 0; n < layer.shape.states; ++n) {
        float added = 0;
        for (size_t t = 0; t < kChunkTokens; t += 16) {
          for (size_t i = 0; i < 16; ++i) b[i] = layer.B(first + t + i, 0)[n];
          added = reference::AddTensorStep(added, std::span(high).subspan(t, 16), b);
          added = reference::AddTensorStep(added, std::span(low).subspan(t, 16), b);
        }
        s[n * width + p] = std::fma(1.0f, s[n * width + p], added);
      }
    }
  }
};

TEST_F(Mamba2ChunkScan, AScalarProgramHasTheSameBitsWhereNothingDecays) {
  Layer layer(150, {1, 16, 32, 1});
  layer.has_gate = false;
  layer.dt_min = layer.dt_max = 0.5f;
  layer.a[0] = -0.0f;
  for (size_t i = 0; i < layer.x.size(); i += 5)  // magnitudes far apart, which the steps cut
    layer.x[i] = ToBF16(std::ldexp(FromBF16(layer.x[i]), static_cast<int>(i % 61) - 30));
  const std::vector<uint32_t> before = StatesOf(layer, 1);
  Undecayed scalar{layer, std::vector<float>(layer.shape.XOffset() / 4)};
  std::memcpy(scalar.s.data(), before.data(), layer.shape.XOffset());
  const Result got = OnDevice(layer).Run({{0, 150}}, kAll, Mamba2Kernel::kRows, before);
  for (size_t first = 0; first < layer.rows; first += kChunkTokens)
    scalar.Chunk(first, std::min(kChunkTokens, layer.rows - first), got.y);
  for (size_t i = 0; i < scalar.s.size(); ++i)
    ASSERT_EQ(got.states[i], std::bit_cast<uint32_t>(scalar.s[i])) << i;
}

void ExpectWithinBound(const Layer& layer) {
  const std::vector<uint32_t> before = StatesOf(layer, 1);
  const Result got = OnDevice(layer).Run({{0, layer.rows}}, kAll, Mamba2Kernel::kRows, before);
  double worst_state = 0, worst_y = 0;
  for (size_t head = 0; head < layer.shape.heads; ++head) {
    ExactHead exact(layer, head, before);
    for (size_t first = 0; first < layer.rows; first += kChunkTokens)
      worst_y =
          std::max(worst_y, exact.Chunk(first, std::min(kChunkTokens, layer.rows - first), got.y));
    worst_state = std::max(worst_state, exact.StateError(got.states));
  }
  std::printf("%zu rows: states at most %.3f of the bound, y %.3f\n", layer.rows, worst_state,
              worst_y);
  EXPECT_LE(worst_state, 1);
  EXPECT_LE(worst_y, 1);
}

TEST_F(Mamba2ChunkScan, StaysWithinTheBoundOfDoublePrecision) {
  ExpectWithinBound(Layer(500, {4, 64, 128, 2}));
  Layer bare(200, {2, 32, 16, 1});
  bare.has_gate = false;
  ExpectWithinBound(bare);
  Layer slow(1500, {2, 32, 64, 1});  // states that forget little
  for (float& a : slow.a) a *= 0.001f;
  ExpectWithinBound(slow);
  Layer large(200, {2, 32, 64, 1});  // time steps beyond softplus's bend, decays that vanish
  for (float& dt : large.dt) dt *= 3;
  ExpectWithinBound(large);
}

TEST_F(Mamba2ChunkScan, TakesExtremeTimeStepsAlikeInBothKernels) {
  Layer layer(150, {8, 64, 128, 1});
  const float raws[] = {-200.0f, -88.0f, 0.0f, 20.0f, 100.0f, 1e30f, -1e30f};
  for (size_t i = 0; i < layer.dt.size(); i += 5) layer.dt[i] = raws[i / 5 % 7];
  layer.a[2] = -1e38f;
  layer.a[3] = -1e-38f;
  layer.a[4] = -std::numeric_limits<float>::infinity();
  ExpectSameBitsForEveryCut(layer);
  layer.dt_min = 0.001f, layer.dt_max = 0.1f;
  ExpectSameBitsForEveryCut(layer);
}

TEST_F(Mamba2ChunkScan, WhatIsNotFiniteStaysInItsChannelAndAfterItsToken) {
  Layer layer(150, {2, 64, 128, 1});
  const std::vector<uint32_t> before = StatesOf(layer, 1);
  const Result want = OnDevice(layer).Run({{0, 150}}, kAll, Mamba2Kernel::kRows, before);
  layer.x[71 * layer.x_stride() + 17] = 0x7f80;
  layer.x[90 * layer.x_stride() + 100] = 0xffc0;
  const OnDevice device(layer);
  for (const By kernel : kKernels) {
    const Result got = device.Run({{0, 150}}, kAll, kernel, before);
    for (size_t t = 0; t < 150; ++t) {
      for (size_t e = 0; e < 128; ++e) {
        const size_t at = t * layer.x_stride() + e;
        if ((e == 17 && t >= 71) || (e == 100 && t >= 90)) {
          EXPECT_FALSE(std::isfinite(FromBF16(got.y[at])));
        } else {
          ASSERT_EQ(got.y[at], want.y[at]) << t << ' ' << e;
        }
      }
    }
  }
}

TEST_F(Mamba2ChunkScan, WritesYOverXOrZWithTheSameBits) {
  const Layer layer(300, {24, 64, 128, 1});
  const std::vector<uint32_t> before = StatesOf(layer, 1);
  const Result want = OnDevice(layer).Run({{0, 300}}, kAll, Mamba2Kernel::kRows, before);
  for (const By kernel : kKernels) {
    for (const bool over_x : {true, false}) {
      const OnDevice device(layer);
      uint16_t* const y = over_x ? device.x() : device.z();
      const DeviceBytes states = ToDevice(before);
      device.Scan({{0, 300}}, kAll, kernel, y, states);
      std::vector<uint16_t> got(layer.x.size());
      CheckCuda(cudaMemcpy(got.data(), y, got.size() * 2, cudaMemcpyDeviceToHost), "download");
      for (size_t t = 0; t < layer.rows; ++t)
        for (size_t e = 0; e < layer.channels(); ++e)
          ASSERT_EQ(got[t * layer.x_stride() + e], want.y[t * layer.x_stride() + e]);
      ASSERT_EQ(FromDevice<uint32_t>(states, before.size()), want.states);
    }
  }
}

TEST_F(Mamba2ChunkScan, RefusesWhatItCannotTake) {
  const Layer layer(4, {4, 64, 128, 2});
  const OnDevice device(layer);
  const DeviceBytes none = AllocateDevice(4096);
  const auto expect = [&](const auto& change, const std::string& text) {
    Mamba2ChunkScanArgs args = device.Args(none, 1, 4, At<uint16_t>(none), none, none);
    change(args);
    try {
      LaunchMamba2ChunkScan(args);
      ADD_FAILURE() << "no error of: " << text;
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(text));
    }
  };
  using Args = Mamba2ChunkScanArgs;
  expect([](Args& args) { args.shape.width = 60; }, "head_dim is a multiple of 8");
  expect([](Args& args) { args.shape.states = 12; }, "d_state is a multiple of 8");
  expect([](Args& args) { args.shape.states = 136; }, "d_state is a multiple of 8 up to 128");
  expect([](Args& args) { args.shape.groups = 3; }, "n_groups divides the number of heads");
  expect([](Args& args) { args.sequence_count = 0; }, "sequences, got 0");
  expect([](Args& args) { args.x.data += 1; }, "rows of x begin on multiples of 16");
  expect([](Args& args) { args.z.stride = 257; }, "rows of z begin on multiples of 16");
  expect([](Args& args) { args.b.stride = 300; }, "rows of B begin on multiples of 16");
}

}  // namespace
}  // namespace statelib::kernels::cuda
