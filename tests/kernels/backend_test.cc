// SPDX-License-Identifier: Apache-2.0
// One body for every backend: operations on rows against their formulas in double precision, and
// bit by bit against the reference, on sizes that are one, odd, and no multiple of any vector.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include "tests/kernels/backends_under_test.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/sequences.h"

namespace statelib::kernels {
namespace {

/// Half-precision numbers below 2, subnormals among them.
std::vector<uint16_t> ToF16(const std::vector<float>& values) {
  std::vector<uint16_t> halves(values.size());
  for (size_t i = 0; i < halves.size(); ++i)
    halves[i] = static_cast<uint16_t>(std::bit_cast<uint32_t>(values[i]) & 0xbfff);
  return halves;
}

INSTANTIATE_TEST_SUITE_P(All, BackendTest, testing::ValuesIn(BackendsUnderTest()),
                         [](const auto& recipe) { return recipe.param.label; });

struct MatMulSize {
  size_t rows, inputs, outputs;
};
const std::vector<MatMulSize> kMatMulSizes = {
    {1, 1, 1},      {1, 24, 768},  {1, 300, 130}, {2, 17, 56},   {3, 31, 16},
    {4, 257, 33},   {5, 48, 192},  {7, 96, 35},   {12, 256, 32}, {13, 512, 17},
    {16, 1300, 70}, {25, 513, 96}, {64, 80, 320}, {193, 40, 31}};

std::vector<float> RunMatMul(Backend& backend, const WeightView& weights,
                             const std::vector<float>& bias, const std::vector<float>& x,
                             size_t rows, Epilogue epilogue, const std::vector<float>& before) {
  const auto matrix = backend.Pack(weights);
  Buffer bias_buffer = ToBackend(backend, bias), x_buffer = ToBackend(backend, x),
         out = ToBackend(backend, before);
  backend.MatMul(*matrix, bias.empty() ? nullptr : bias_buffer.data(),
                 Rows{x_buffer.data(), rows, weights.cols, weights.cols}, epilogue,
                 {out.data(), rows, weights.rows, weights.rows});
  return ToHost(backend, out);
}

TEST_P(BackendTest, MatMulIsTheSumOfProductsWithinItsRoundingBound) {
  Numbers numbers(1);
  for (const auto& [rows, inputs, outputs] : kMatMulSizes) {
    const auto weights = numbers.Make(outputs * inputs), x = numbers.Make(rows * inputs),
               bias = numbers.Make(outputs);
    const auto out = RunMatMul(*backend_, View(weights, outputs, inputs), bias, x, rows,
                               Epilogue::kStore, std::vector<float>(rows * outputs));
    for (size_t t = 0; t < rows; ++t) {
      for (size_t o = 0; o < outputs; ++o) {
        double sum = bias[o], norm = std::fabs(bias[o]);
        for (size_t k = 0; k < inputs; ++k) {
          const double product = static_cast<double>(weights[o * inputs + k]) * x[t * inputs + k];
          sum += product;
          norm += std::fabs(product);
        }
        const double bound = 0x1p-24 * static_cast<double>(inputs + 1) * norm;
        ASSERT_NEAR(out[t * outputs + o], sum, bound) << rows << "x" << inputs << "x" << outputs;
      }
    }
  }
}

TEST_P(BackendTest, MatMulHasTheBitsOfTheReferenceInEveryEpilogueAndWeightType) {
  Numbers numbers(2);
  for (const auto& [rows, inputs, outputs] : kMatMulSizes) {
    const auto weights = numbers.Make(outputs * inputs), x = numbers.Make(rows * inputs);
    const auto before = numbers.Make(rows * outputs);
    std::vector<uint16_t> bf16(weights.size());
    for (size_t i = 0; i < bf16.size(); ++i) {
      bf16[i] = static_cast<uint16_t>(std::bit_cast<uint32_t>(weights[i]) >> 16);
    }
    const std::vector<uint16_t> f16 = ToF16(weights);
    for (const Epilogue epilogue : {Epilogue::kStore, Epilogue::kAdd, Epilogue::kSoftplus}) {
      for (const auto& bias : {std::vector<float>(), numbers.Make(outputs)}) {
        for (const WeightView& view : {View(weights, outputs, inputs), View(bf16, outputs, inputs),
                                       View(f16, outputs, inputs, WeightType::kF16)}) {
          EXPECT_TRUE(SameBits(RunMatMul(*backend_, view, bias, x, rows, epilogue, before),
                               RunMatMul(*reference_, view, bias, x, rows, epilogue, before)))
              << rows << "x" << inputs << "x" << outputs;
        }
      }
    }
  }
}

TEST_P(BackendTest, MatMulOfManyRowsAndOutputsHasTheBitsOfTheReference) {
  Numbers numbers(8);
  constexpr size_t kRows = 1000, kInputs = 24, kOutputs = 2040;
  const auto weights = numbers.Make(kOutputs * kInputs), x = numbers.Make(kRows * kInputs),
             before = numbers.Make(kRows * kOutputs);
  const auto run = [&](Backend& backend) {
    return RunMatMul(backend, View(weights, kOutputs, kInputs), {}, x, kRows, Epilogue::kAdd,
                     before);
  };
  EXPECT_TRUE(SameBits(run(*backend_), run(*reference_)));
}

TEST_P(BackendTest, MatMulOnColumnsOfWiderRowsTouchesNothingElse) {
  Numbers numbers(9);
  constexpr size_t kInputs = 70, kOutputs = 45, kXStride = kInputs + 7, kOutStride = kOutputs + 5;
  const auto weights = numbers.Make(kOutputs * kInputs);
  for (const size_t rows : {1, 6, 40}) {
    const auto x = numbers.Make(rows * kXStride), before = numbers.Make(rows * kOutStride);
    const auto run = [&](Backend& backend) {
      const auto matrix = backend.Pack(View(weights, kOutputs, kInputs));
      Buffer xb = ToBackend(backend, x), out = ToBackend(backend, before);
      backend.MatMul(*matrix, nullptr,
                     Rows{xb.data(), rows, kXStride, kXStride}.Columns(3, kInputs), Epilogue::kAdd,
                     Rows{out.data(), rows, kOutStride, kOutStride}.Columns(1, kOutputs));
      return ToHost(backend, out);
    };
    EXPECT_TRUE(SameBits(run(*backend_), run(*reference_))) << rows;
  }
}

TEST_P(BackendTest, ASumThatRoundsToMinusZeroKeepsItsSign) {
  for (const size_t rows : {1, 20}) {
    const auto out = RunMatMul(*backend_, View(std::vector<float>{-1e-30f}, 1, 1), {},
                               std::vector<float>(rows, 1e-30f), rows, Epilogue::kStore,
                               std::vector<float>(rows, 1.0f));
    EXPECT_EQ(std::bit_cast<uint32_t>(out[0]), 0x80000000u) << rows;
  }
}

TEST_P(BackendTest, EmbedCopiesRowsOfTheTable) {
  Numbers numbers(3);
  const auto table = numbers.Make(35 * 20);
  const auto matrix = backend_->Pack(View(table, 35, 20));
  const std::vector<int32_t> ids = {34, 0, 16, 15};
  Buffer out = backend_->Allocate(ids.size() * 20);
  const Buffer in_backend = IdsInBackend(*backend_, ids);
  backend_->Embed(*matrix, in_backend.data<int32_t>(), {out.data(), ids.size(), 20, 20});
  const auto rows = ToHost(*backend_, out);
  for (size_t t = 0; t < ids.size(); ++t) {
    for (size_t k = 0; k < 20; ++k)
      EXPECT_EQ(rows[t * 20 + k], table[static_cast<size_t>(ids[t]) * 20 + k]);
  }
}

TEST_P(BackendTest, RmsNormHasTheBitsOfTheReferenceAndUnitMeanSquare) {
  Numbers numbers(4);
  for (const size_t cols : {1, 15, 16, 33, 80, 384}) {
    const auto x = numbers.Make(7 * cols, -3, 3);
    const auto run = [&](Backend& backend, const std::vector<float>& weight) {
      Buffer x_buffer = ToBackend(backend, x), weight_buffer = ToBackend(backend, weight);
      Buffer out = backend.Allocate(x.size());
      backend.RmsNorm(Rows{x_buffer.data(), 7, cols, cols}, weight_buffer.data(), 1e-5f,
                      {out.data(), 7, cols, cols});
      return ToHost(backend, out);
    };
    const auto weight = numbers.Make(cols);
    EXPECT_TRUE(SameBits(run(*backend_, weight), run(*reference_, weight))) << cols;
    const auto plain = run(*backend_, std::vector<float>(cols, 1.0f));
    double mean_square = 0;
    for (size_t i = 0; i < cols; ++i) mean_square += static_cast<double>(plain[i]) * plain[i];
    EXPECT_NEAR(mean_square / static_cast<double>(cols), 1.0, 1e-3) << cols;
  }
}

TEST_P(BackendTest, DownloadsThatHaveBegunBringWhatIsThereWhileOthersAreComputed) {
  Numbers numbers(12);
  constexpr size_t kCount = 100003;
  const auto first = numbers.Make(kCount), second = numbers.Make(kCount);
  Buffer a = ToBackend(*backend_, first), b = ToBackend(*backend_, second),
         ones = ToBackend(*backend_, std::vector<float>(kCount, 1.0f)),
         out = backend_->Allocate(kCount);
  std::vector<float> got_first(kCount), got_second(kCount), unwanted(kCount);
  const auto of_first =
      backend_->BeginDownload(a.bytes(), std::as_writable_bytes(std::span(got_first)));
  backend_->RmsNorm(Rows{b.data(), 1, kCount, kCount}, ones.data(), 1e-5f,
                    {out.data(), 1, kCount, kCount});
  backend_->CopyBytes(out.bytes(), b.bytes(), kCount * sizeof(float));
  const auto of_second =
      backend_->BeginDownload(b.bytes(), std::as_writable_bytes(std::span(got_second)));
  // In another order than they began, and one that nobody waits for.
  backend_->BeginDownload(ones.bytes(), std::as_writable_bytes(std::span(unwanted)));
  of_second->Wait();
  of_first->Wait();
  EXPECT_TRUE(SameBits(got_first, first));
  EXPECT_TRUE(SameBits(got_second, ToHost(*backend_, out)));
}

}  // namespace
}  // namespace statelib::kernels
