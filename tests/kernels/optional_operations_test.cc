// SPDX-License-Identifier: Apache-2.0
// The operations that not every backend has, besides attention: on every backend that has them,
// against their formulas and bit by bit against the reference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/exact/math.h"
#include "tests/kernels/backends_under_test.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/sequences.h"

namespace statelib::kernels {
namespace {

class OptionalOperations : public BackendTest {
 protected:
  void SkipWithout(Operation operation) {
    if (!backend_->Supports(operation)) GTEST_SKIP() << "not there: " << InfoOf(operation).name;
  }
};

INSTANTIATE_TEST_SUITE_P(All, OptionalOperations, testing::ValuesIn(BackendsUnderTest()),
                         [](const auto& recipe) { return recipe.param.label; });

constexpr size_t kRows = 5, kWidth = 37;

TEST_P(OptionalOperations, AGateMultipliesBySilu) {
  SkipWithout(Operation::kElementwise);
  Numbers numbers(41);
  const auto x = numbers.Make(kRows * kWidth), z = numbers.Make(kRows * kWidth, -9, 9);
  Buffer xb = ToBackend(*backend_, x), zb = ToBackend(*backend_, z);
  const Rows in_place{xb.data(), kRows, kWidth, kWidth};
  backend_->Gate(in_place, Rows{zb.data(), kRows, kWidth, kWidth}, in_place);
  const auto out = ToHost(*backend_, xb);
  for (size_t i = 0; i < out.size(); ++i) ASSERT_EQ(out[i], x[i] * exact::Silu(z[i]));
}

TEST_P(OptionalOperations, ScaledRowsAreAdded) {
  SkipWithout(Operation::kElementwise);
  Numbers numbers(42);
  const auto x = numbers.Make(kRows * kWidth), before = numbers.Make(kRows * kWidth);
  Buffer xb = ToBackend(*backend_, x), out = ToBackend(*backend_, before);
  backend_->AddScaled(Rows{xb.data(), kRows, kWidth, kWidth}, 0.3f,
                      {out.data(), kRows, kWidth, kWidth});
  const auto after = ToHost(*backend_, out);
  for (size_t i = 0; i < after.size(); ++i) ASSERT_EQ(after[i], before[i] + 0.3f * x[i]);
}

TEST_P(OptionalOperations, ALayerNormHasZeroMeanUnitVarianceThenWeightAndBias) {
  SkipWithout(Operation::kLayerNorm);
  Numbers numbers(43);
  const auto x = numbers.Make(kRows * kWidth, 3, 8), weight = numbers.Make(kWidth),
             bias = numbers.Make(kWidth);
  Buffer xb = ToBackend(*backend_, x), wb = ToBackend(*backend_, weight),
         bb = ToBackend(*backend_, bias), out = backend_->Allocate(kRows * kWidth);
  backend_->LayerNorm(Rows{xb.data(), kRows, kWidth, kWidth}, wb.data(), bb.data(), 1e-5f,
                      {out.data(), kRows, kWidth, kWidth});
  const auto normed = ToHost(*backend_, out);
  double worst = 0;
  for (size_t t = 0; t < kRows; ++t) {
    double mean = 0, variance = 0;
    for (size_t i = 0; i < kWidth; ++i) mean += x[t * kWidth + i] / double{kWidth};
    for (size_t i = 0; i < kWidth; ++i)
      variance += std::pow(x[t * kWidth + i] - mean, 2) / double{kWidth};
    for (size_t i = 0; i < kWidth; ++i) {
      const double expected =
          (x[t * kWidth + i] - mean) / std::sqrt(variance + 1e-5) * weight[i] + bias[i];
      worst = std::max(worst, std::fabs(normed[t * kWidth + i] - expected));
    }
  }
  EXPECT_LT(worst, 5e-6) << "largest difference seen";
}

TEST_P(OptionalOperations, EachRowGoesToItsLikeliestExpertsAndEqualsToTheLowerNumbers) {
  SkipWithout(Operation::kExperts);
  // Three rows, four experts, two chosen.
  const std::vector<float> logits = {1, 5, 2, 4, 7, 7, 7, 7, -1, -2, -3, -0.5f};
  Buffer lb = ToBackend(*backend_, logits), shares = backend_->Allocate(6);
  Buffer first = backend_->Allocate(5, DType::kI32), rows = backend_->Allocate(6, DType::kI32);
  const ExpertPlaces places{first.data<int32_t>(), rows.data<int32_t>(), shares.data(), 4, 2};
  backend_->Route(Rows{lb.data(), 3, 4, 4}, places);
  std::vector<int32_t> firsts(5), of_rows(6);
  backend_->DownloadBytes(first.bytes(), std::as_writable_bytes(std::span(firsts)));
  backend_->DownloadBytes(rows.bytes(), std::as_writable_bytes(std::span(of_rows)));
  EXPECT_THAT(firsts, testing::ElementsAre(0, 2, 4, 4, 6));
  EXPECT_THAT(of_rows, testing::ElementsAre(1, 2, 0, 1, 0, 2));
  const float of_first = 1 / (1 + std::exp(-1.0f)), of_third = 1 / (1 + std::exp(-0.5f));
  EXPECT_THAT(ToHost(*backend_, shares),
              testing::Pointwise(testing::FloatNear(1e-6f),
                                 {0.5f, 1 - of_third, of_first, 0.5f, 1 - of_first, of_third}));
}

TEST_P(OptionalOperations, ProductsByExpertsAreThoseOfTheirMatrices) {
  SkipWithout(Operation::kExperts);
  Numbers numbers(44);
  constexpr size_t kExperts = 3, kChosen = 2, kOut = 19, kPlaces = kRows * kChosen;
  const auto logits = numbers.Make(kRows * kExperts), x = numbers.Make(kRows * kWidth);
  std::vector<std::vector<float>> weights;
  for (size_t e = 0; e < kExperts; ++e) weights.push_back(numbers.Make(kOut * kWidth));
  const auto run = [&](Backend& backend) {
    std::vector<std::unique_ptr<Matrix>> packed;
    std::vector<const Matrix*> matrices;
    for (const auto& values : weights) {
      packed.push_back(backend.Pack(View(values, kOut, kWidth)));
      matrices.push_back(packed.back().get());
    }
    Buffer lb = ToBackend(backend, logits), xb = ToBackend(backend, x),
           shares = backend.Allocate(kPlaces), parts = backend.Allocate(kPlaces * kOut),
           out = backend.Allocate(kRows * kOut);
    Buffer first = backend.Allocate(kExperts + 1, DType::kI32),
           rows = backend.Allocate(kPlaces, DType::kI32);
    const ExpertPlaces places{first.data<int32_t>(), rows.data<int32_t>(), shares.data(), kExperts,
                              kChosen};
    backend.Route(Rows{lb.data(), kRows, kExperts, kExperts}, places);
    const Rows products{parts.data(), kPlaces, kOut, kOut};
    backend.MatMulByExpert({matrices, places, Rows{xb.data(), kRows, kWidth, kWidth}, false,
                            Epilogue::kStore, products});
    backend.SumExperts(products, places, {out.data(), kRows, kOut, kOut});
    return ToHost(backend, out);
  };
  const auto out = run(*backend_);
  EXPECT_TRUE(SameBits(out, run(*reference_)));
  double worst = 0;
  for (size_t t = 0; t < kRows; ++t) {
    std::vector<size_t> order = {0, 1, 2};
    const float* const of_row = logits.data() + t * kExperts;
    std::sort(order.begin(), order.end(),
              [&](size_t a, size_t b) { return of_row[a] > of_row[b]; });
    const double sum = std::exp(double{of_row[order[0]]}) + std::exp(double{of_row[order[1]]});
    for (size_t o = 0; o < kOut; ++o) {
      double expected = 0;
      for (size_t i = 0; i < kChosen; ++i) {
        double product = 0;
        for (size_t k = 0; k < kWidth; ++k)
          product += double{weights[order[i]][o * kWidth + k]} * x[t * kWidth + k];
        expected += std::exp(double{of_row[order[i]]}) / sum * product;
      }
      worst = std::max(worst, std::fabs(out[t * kOut + o] - expected));
    }
  }
  EXPECT_LT(worst, 3e-6) << "largest difference seen";
}

TEST_P(OptionalOperations, AProductIsScaledThenActivatedThenAdded) {
  Numbers numbers(45);
  const auto weights = numbers.Make(19 * kWidth), x = numbers.Make(kRows * kWidth),
             bias = numbers.Make(19), before = numbers.Make(kRows * 19);
  for (const Activation activation :
       {Activation::kNone, Activation::kSoftplus, Activation::kSilu}) {
    for (const bool add : {false, true}) {
      const auto run = [&](const Epilogue& epilogue, const std::vector<float>& was) {
        const auto matrix = backend_->Pack(View(weights, 19, kWidth));
        Buffer xb = ToBackend(*backend_, x), bb = ToBackend(*backend_, bias),
               out = ToBackend(*backend_, was);
        backend_->MatMul(*matrix, bb.data(), Rows{xb.data(), kRows, kWidth, kWidth}, epilogue,
                         {out.data(), kRows, 19, 19});
        return ToHost(*backend_, out);
      };
      const auto sums = run(Epilogue::kStore, before);
      const auto found = run({-1.7f, activation, add}, before);
      for (size_t i = 0; i < sums.size(); ++i) {
        float expected = -1.7f * sums[i];
        if (activation == Activation::kSoftplus) expected = exact::Softplus(expected);
        if (activation == Activation::kSilu) expected = exact::Silu(expected);
        ASSERT_EQ(found[i], add ? before[i] + expected : expected);
      }
    }
  }
}

TEST_P(OptionalOperations, Mamba2sScanWithoutGateAndSkipIsTheSumOverItsStates) {
  SkipWithout(Operation::kElementwise);
  Numbers numbers(46);
  constexpr size_t kHeads = 2, kChannels = 34, kStates = 11;
  const auto x = numbers.Make(kRows * kChannels), dt = numbers.Make(kRows * kHeads),
             b = numbers.Make(kRows * kStates), c = numbers.Make(kRows * kStates),
             z = numbers.Make(kRows * kChannels), a = numbers.Make(kHeads, -2, -0.1f),
             bias = numbers.Make(kHeads), d = numbers.Make(kChannels);
  const auto run = [&](Backend& backend, bool has_gate, bool has_skip) {
    Buffer xb = ToBackend(backend, x), tb = ToBackend(backend, dt), bb = ToBackend(backend, b),
           cb = ToBackend(backend, c), zb = ToBackend(backend, z), ab = ToBackend(backend, a),
           biases = ToBackend(backend, bias), db = ToBackend(backend, d),
           state = ToBackend(backend, std::vector<float>(kChannels * kStates)),
           y = backend.Allocate(kRows * kChannels);
    const Sequences sequences(backend, {kRows}, state.data(), kChannels * kStates);
    const auto rows = [](Buffer& buffer, size_t width) {
      return Rows{buffer.data(), kRows, width, width};
    };
    backend.Mamba2Scan({rows(xb, kChannels), rows(tb, kHeads), rows(bb, kStates), rows(cb, kStates),
                        has_gate ? ConstRows(rows(zb, kChannels)) : ConstRows(), biases.data(),
                        ab.data(), has_skip ? db.data() : nullptr, 0.0f, 9.0f, 1, sequences.table(),
                        0, rows(y, kChannels)});
    return ToHost(backend, y);
  };
  const auto bare = run(*backend_, false, false), skipped = run(*backend_, false, true),
             gated = run(*backend_, true, true);
  EXPECT_TRUE(SameBits(bare, run(*reference_, false, false)));
  EXPECT_TRUE(SameBits(skipped, run(*reference_, false, true)));
  for (size_t i = 0; i < bare.size(); ++i) {
    EXPECT_NEAR(skipped[i], bare[i] + d[i % kChannels] * x[i], 1e-5);
    ASSERT_EQ(gated[i], skipped[i] * exact::Silu(z[i]));
  }
}

}  // namespace
}  // namespace statelib::kernels
