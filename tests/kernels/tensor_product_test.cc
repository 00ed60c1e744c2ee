// SPDX-License-Identifier: Apache-2.0
// The tensor-core product: the bits of an output depend on its row of inputs and its weights alone,
// and they are those of the scalar order of kernels/reference/tensor_sum.h.
#include "kernels/cuda/tensor_product.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/backends.h"
#include "kernels/exact/math.h"
#include "kernels/reference/tensor_sum.h"

namespace statelib::kernels::cuda {
namespace {

uint16_t ToBF16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  bits += 0x7fff + (bits >> 16 & 1);
  return static_cast<uint16_t>(bits >> 16);
}
float FromBF16(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

std::vector<uint16_t> Random(size_t count, uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  std::vector<uint16_t> values(count);
  for (uint16_t& value : values) value = ToBF16(normal(engine));
  return values;
}

template <typename Element>
DeviceBytes ToDevice(const std::vector<Element>& values) {
  DeviceBytes bytes = AllocateDevice(values.size() * sizeof(Element));
  CheckCuda(cudaMemcpy(bytes.get(), values.data(), values.size() * sizeof(Element),
                       cudaMemcpyHostToDevice),
            "upload");
  return bytes;
}

template <typename Element>
std::vector<Element> ToHost(const DeviceBytes& bytes, size_t count) {
  std::vector<Element> values(count);
  CheckCuda(cudaMemcpy(values.data(), bytes.get(), count * sizeof(Element), cudaMemcpyDeviceToHost),
            "download");
  return values;
}

size_t Multiprocessors() {
  cudaDeviceProp device{};
  CheckCuda(cudaGetDeviceProperties(&device, 0), "device");
  return static_cast<size_t>(device.multiProcessorCount);
}

/// Which kernel takes a product.
enum class By { kChoice, kFewRows, kTiles64x64, kTiles64, kTiles128, kTiles192 };
constexpr By kTiles[] = {By::kTiles64x64, By::kTiles64, By::kTiles128, By::kTiles192};
constexpr By kAllKernels[] = {By::kChoice,  By::kFewRows,  By::kTiles64x64,
                              By::kTiles64, By::kTiles128, By::kTiles192};

/// Inputs [rows, inputs] and weights [outputs, inputs] on host and device.
struct Operands {
  Operands(size_t rows_in, size_t inputs_in, size_t outputs_in, uint32_t seed = 1)
      : rows(rows_in),
        inputs(inputs_in),
        outputs(outputs_in),
        stride((inputs + 7) / 8 * 8 + 8),
        x(Random(rows * stride, seed)),
        w(Random(outputs * inputs, seed + 1)) {
    Upload();
  }
  void Upload() {
    x_device = ToDevice(x);
    weights = std::make_unique<TensorMatrix>(WeightView{
        reinterpret_cast<const std::byte*>(w.data()), WeightType::kBF16, outputs, inputs});
  }
  std::span<const uint16_t> Row(size_t row) const {
    return std::span(x).subspan(row * stride, inputs);
  }
  std::span<const uint16_t> Weights(size_t output) const {
    return std::span(w).subspan(output * inputs, inputs);
  }

  size_t rows, inputs, outputs, stride;
  std::vector<uint16_t> x, w;
  DeviceBytes x_device;
  std::unique_ptr<TensorMatrix> weights;
};

struct Ask {
  size_t first_row = 0, rows = 0;
  Epilogue epilogue = Epilogue::kStore;
  const float* bias = nullptr;
  size_t out_stride = 0;  // 0: as many as outputs
  float before = NAN;     // what the results' memory holds
};

void Launch(const Operands& operands, By by, const Ask& ask, const TensorOutput& out) {
  const TensorInput x{
      reinterpret_cast<const uint16_t*>(operands.x_device.get()) + ask.first_row * operands.stride,
      ask.rows, operands.inputs, operands.stride};
  const TensorProductArgs args{*operands.weights, ask.bias, x, ask.epilogue, out,
                               Multiprocessors(), kStream};
  switch (by) {
    case By::kChoice:
      return LaunchTensorProduct(args.weights, args.bias, x, args.epilogue, out,
                                 args.multiprocessors, args.stream);
    case By::kFewRows:
      EXPECT_TRUE(LaunchTensorFewRows(args));
      return;
    case By::kTiles64x64:
      return LaunchTensorTiles(args, TensorTile::k64x64);
    case By::kTiles64:
      return LaunchTensorTiles(args, TensorTile::k128x64);
    case By::kTiles128:
      return LaunchTensorTiles(args, TensorTile::k128x128);
    case By::kTiles192:
      return LaunchTensorTiles(args, TensorTile::k128x192);
  }
}

/// The whole memory of the results, padding included.
std::vector<float> Product(const Operands& operands, By by, const Ask& ask) {
  const size_t stride = ask.out_stride == 0 ? operands.outputs : ask.out_stride;
  const DeviceBytes out = ToDevice(std::vector<float>(ask.rows * stride, ask.before));
  Launch(operands, by, ask, {out.get(), false, ask.rows, operands.outputs, stride});
  return ToHost<float>(out, ask.rows * stride);
}

/// The first place where two products differ, in words, or "".
std::string Difference(std::span<const float> got, std::span<const float> want, size_t outputs) {
  if (got.size() != want.size()) return "sizes differ";
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::bit_cast<uint32_t>(got[i]) == std::bit_cast<uint32_t>(want[i])) continue;
    return "row " + std::to_string(i / outputs) + ", output " + std::to_string(i % outputs) +
           ": got " + std::to_string(got[i]) + ", want " + std::to_string(want[i]);
  }
  return "";
}

class TensorProduct : public testing::Test {
 protected:
  void SetUp() override {
    if (CudaDevices().empty()) GTEST_SKIP() << "NO GPU: the tensor-core product is not tested here";
    if (!HasTensorCodeForDevice()) GTEST_SKIP() << "no code for the tensor cores of this GPU";
  }
};

void ExpectSameBits(const Operands& operands, const std::vector<size_t>& row_counts) {
  const std::vector<float> all = Product(operands, By::kTiles128, {.rows = operands.rows});
  for (const size_t rows : row_counts) {
    const size_t first = (rows * 7) % (operands.rows - rows + 1);
    const auto want = std::span(all).subspan(first * operands.outputs, rows * operands.outputs);
    for (const By by : kAllKernels) {
      if (by == By::kFewRows && rows > kTensorFewRows) continue;
      const std::vector<float> got = Product(operands, by, {.first_row = first, .rows = rows});
      ASSERT_EQ(Difference(got, want, operands.outputs), "")
          << operands.inputs << " inputs, " << rows << " rows from " << first << ", kernel "
          << static_cast<int>(by);
    }
  }
}

TEST_F(TensorProduct, HasTheSameBitsForEveryNumberOfRows) {
  std::vector<size_t> rows(130);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = i + 1;
  ExpectSameBits(Operands(200, 768, 256), rows);
  ExpectSameBits(Operands(200, 2560, 320), rows);
}

TEST_F(TensorProduct, HasTheSameBitsAtTheSizesOfModels) {
  const std::vector<size_t> rows = {1, 8, 9, 64, 65, 512, 2048};
  for (const auto& [inputs, outputs] :
       {std::pair{768, 3072}, std::pair{1536, 768}, std::pair{2560, 10240}, std::pair{5120, 2560},
        std::pair{5120, 192}})
    ExpectSameBits(Operands(2048, static_cast<size_t>(inputs), static_cast<size_t>(outputs)), rows);
}

TEST_F(TensorProduct, HasTheSameBitsAtOddSizes) {
  for (const size_t inputs :
       {1, 7, 8, 16, 24, 63, 64, 65, 72, 200, 256, 257, 264, 320, 513, 1096, 5128})
    for (const size_t outputs : {1, 3, 8, 63, 65, 130, 193, 387})
      ExpectSameBits(Operands(140, inputs, outputs), {1, 2, 7, 9, 33, 64, 127, 129});
}

TEST_F(TensorProduct, HasTheBitsOfTheScalarOrder) {
  for (const size_t inputs : {1, 15, 16, 17, 100, 256, 300, 768, 2560, 5120}) {
    const Operands operands(64, inputs, 96, static_cast<uint32_t>(inputs));
    const std::vector<float> got = Product(operands, By::kChoice, {.rows = operands.rows});
    std::vector<float> want(got.size());
    for (size_t i = 0; i < want.size(); ++i) {
      want[i] = reference::TensorSum(operands.Weights(i % operands.outputs),
                                     operands.Row(i / operands.outputs), kChainInputs);
    }
    EXPECT_EQ(Difference(got, want, operands.outputs), "") << inputs << " inputs";
  }
}

TEST_F(TensorProduct, HasTheBitsOfTheScalarOrderForNumbersOfAllSizes) {
  std::mt19937 engine(5);
  Operands operands(64, 768, 96);
  // Exponents from 2^-30 to 2^30, so that terms of a step are cut by different numbers of bits.
  const auto draw = [&](uint16_t& value) {
    value = static_cast<uint16_t>((engine() & 0x807f) | (97 + engine() % 61) << 7);
    if (engine() % 16 == 0) value &= 0x8000;
  };
  std::for_each(operands.x.begin(), operands.x.end(), draw);
  std::for_each(operands.w.begin(), operands.w.end(), draw);
  operands.Upload();
  const std::vector<float> got = Product(operands, By::kChoice, {.rows = operands.rows});
  std::vector<float> want(got.size());
  for (size_t i = 0; i < want.size(); ++i) {
    want[i] = reference::TensorSum(operands.Weights(i % operands.outputs),
                                   operands.Row(i / operands.outputs), kChainInputs);
  }
  EXPECT_EQ(Difference(got, want, operands.outputs), "");
}

// A step cuts at most 17 terms below 2^-25 of the largest and its result below 2^-23; a chain has
// 16 steps and a sum one rounding a chain. All terms are at most sum |w · x| =: S, so that the
// error is at most S · (steps · (17 · 2^-25 + 2^-23) + chains · 2^-24).
TEST_F(TensorProduct, IsWithinItsBoundOfDoublePrecision) {
  for (const size_t inputs : {768, 2560, 5120}) {
    const Operands operands(64, inputs, 192);
    const std::vector<float> got = Product(operands, By::kChoice, {.rows = operands.rows});
    double worst_of_bound = 0, error = 0, norm = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      const auto w = operands.Weights(i % operands.outputs), x = operands.Row(i / operands.outputs);
      double exact = 0, size = 0;
      for (size_t k = 0; k < inputs; ++k) {
        const double product =
            static_cast<double>(FromBF16(w[k])) * static_cast<double>(FromBF16(x[k]));
        exact += product;
        size += std::abs(product);
      }
      const double steps = std::ceil(static_cast<double>(inputs) / 16),
                   chains = std::ceil(steps / 16);
      const double bound = size * (steps * (17 * 0x1p-25 + 0x1p-23) + chains * 0x1p-24);
      const double difference = static_cast<double>(got[i]) - exact;
      worst_of_bound = std::max(worst_of_bound, std::abs(difference) / bound);
      error += difference * difference;
      norm += exact * exact;
    }
    EXPECT_LE(worst_of_bound, 1);
    std::printf("%zu inputs: relative error %.2e, at most %.4f of the bound\n", inputs,
                std::sqrt(error / norm), worst_of_bound);
    EXPECT_LE(std::sqrt(error / norm), 1e-6);
  }
}

TEST_F(TensorProduct, FinishesSumsAsAskedAndTouchesNothingElse) {
  const Operands operands(150, 300, 203);
  const std::vector<float> bias_host = [] {
    std::vector<float> values(203);
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 64 - 1;
    return values;
  }();
  const DeviceBytes bias = ToDevice(bias_host);
  const auto* bias_device = reinterpret_cast<const float*>(bias.get());
  const std::vector<float> sums = Product(operands, By::kTiles64, {.rows = operands.rows});
  for (const By by : kAllKernels) {
    const size_t rows = by == By::kFewRows ? 7 : operands.rows;
    for (const size_t stride : {203, 204, 209, 256}) {
      for (const Epilogue epilogue : {Epilogue::kStore, Epilogue::kAdd, Epilogue::kSoftplus}) {
        if (epilogue == Epilogue::kSoftplus && by != By::kChoice) continue;
        const std::vector<float> got = Product(operands, by,
                                               {.rows = rows,
                                                .epilogue = epilogue,
                                                .bias = bias_device,
                                                .out_stride = stride,
                                                .before = 3.5f});
        std::vector<float> want(rows * stride, 3.5f);
        for (size_t row = 0; row < rows; ++row) {
          for (size_t output = 0; output < operands.outputs; ++output) {
            float sum = sums[row * operands.outputs + output] + bias_host[output];
            if (epilogue == Epilogue::kAdd) sum = 3.5f + sum;
            if (epilogue == Epilogue::kSoftplus) sum = exact::Softplus(sum);
            want[row * stride + output] = sum;
          }
        }
        ASSERT_EQ(Difference(got, want, stride), "")
            << static_cast<int>(by) << " stride " << stride;
      }
    }
  }
}

TEST_F(TensorProduct, AddsToResultsOfWholeTiles) {
  const Operands operands(256, 300, 384);
  const std::vector<float> sums = Product(operands, By::kTiles64, {.rows = operands.rows});
  std::vector<float> want(sums.size());
  std::transform(sums.begin(), sums.end(), want.begin(), [](float sum) { return 3.5f + sum; });
  for (const By by : kTiles) {
    const std::vector<float> got =
        Product(operands, by, {.rows = operands.rows, .epilogue = Epilogue::kAdd, .before = 3.5f});
    EXPECT_EQ(Difference(got, want, operands.outputs), "") << static_cast<int>(by);
  }
}

void ExpectRounded(const Operands& operands, By by, size_t rows, size_t stride) {
  const std::vector<float> sums = Product(operands, By::kTiles64, {.rows = rows});
  const DeviceBytes out = ToDevice(std::vector<uint16_t>(rows * stride, 0x7fc1));
  Launch(operands, by, {.rows = rows}, {out.get(), true, rows, operands.outputs, stride});
  const std::vector<uint16_t> got = ToHost<uint16_t>(out, rows * stride);
  for (size_t i = 0; i < got.size(); ++i) {
    const size_t row = i / stride, output = i % stride;
    const uint16_t want =
        output < operands.outputs ? ToBF16(sums[row * operands.outputs + output]) : 0x7fc1;
    ASSERT_EQ(got[i], want) << row << ' ' << output << " kernel " << static_cast<int>(by);
  }
}

TEST_F(TensorProduct, RoundsToBF16WhereAsked) {
  for (const size_t outputs : {203, 384}) {
    const Operands operands(260, 520, outputs);
    for (const By by : kAllKernels) {
      for (const size_t stride : {outputs, outputs + 1, outputs + 4})
        ExpectRounded(operands, by, by == By::kFewRows ? 3 : 260, stride);
    }
  }
}

TEST_F(TensorProduct, WhatIsNotFiniteStaysInItsRow) {
  Operands operands(130, 264, 70);
  const std::vector<float> clean = Product(operands, By::kTiles64, {.rows = operands.rows});
  for (const size_t row : {5, 129}) operands.x[row * operands.stride + 263] = 0x7f80;
  operands.Upload();
  for (const By by : kTiles) {
    const std::vector<float> got = Product(operands, by, {.rows = operands.rows});
    for (size_t i = 0; i < got.size(); ++i) {
      const size_t row = i / operands.outputs;
      if (row == 5 || row == 129) {
        EXPECT_FALSE(std::isfinite(got[i]));
      } else {
        ASSERT_EQ(std::bit_cast<uint32_t>(got[i]), std::bit_cast<uint32_t>(clean[i])) << row;
      }
    }
  }
}

TEST_F(TensorProduct, RunsTwiceOverTheSameMemoryWithTheSameBits) {
  const Operands operands(2048, 1536, 768);
  const std::vector<float> first = Product(operands, By::kChoice, {.rows = operands.rows});
  for (int i = 0; i < 20; ++i) {
    for (const By by : kTiles)
      ASSERT_EQ(Difference(Product(operands, by, {.rows = operands.rows}), first, operands.outputs),
                "");
  }
}

TEST_F(TensorProduct, RefusesWhatItCannotTake) {
  const Operands operands(4, 64, 64);
  const DeviceBytes out = AllocateDevice(4 * 64 * 4);
  const auto* x = reinterpret_cast<const uint16_t*>(operands.x_device.get());
  const auto launch = [&](const uint16_t* data, size_t stride, Epilogue epilogue, bool is_bf16) {
    LaunchTensorProduct(*operands.weights, nullptr, {data, 2, 64, stride}, epilogue,
                        {out.get(), is_bf16, 2, 64, 64}, Multiprocessors(), kStream);
  };
  const auto expect = [](const auto& call, const std::string& text) {
    try {
      call();
      ADD_FAILURE() << "no error of: " << text;
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr(text));
    }
  };
  expect([&] { launch(x + 1, 72, Epilogue::kStore, false); }, "multiples of 16 bytes");
  expect([&] { launch(x, 65, Epilogue::kStore, false); }, "multiples of 16 bytes");
  expect([&] { launch(x, 72, Epilogue::kAdd, true); }, "not in bf16");
}

}  // namespace
}  // namespace statelib::kernels::cuda
