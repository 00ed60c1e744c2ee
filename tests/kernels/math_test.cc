// SPDX-License-Identifier: Apache-2.0
// The scalar functions against libm in double precision. That the vector ones have the same bits is
// tested through the operations that use them (backend_test.cc).
#include "kernels/exact/math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <limits>

namespace statelib::kernels::exact {
namespace {

/// The largest relative error of `ours` against `exact` on a dense grid over [low, high].
template <typename Ours, typename Exact>
double LargestRelativeError(double low, double high, const Ours& ours, const Exact& exact) {
  constexpr int kPoints = 2000000;
  double largest = 0;
  for (int i = 0; i <= kPoints; ++i) {
    const auto x = static_cast<float>(low + (high - low) * i / kPoints);
    const double want = exact(static_cast<double>(x));
    largest = std::fmax(largest, std::fabs(ours(x) - want) / std::fabs(want));
  }
  std::printf("largest relative error on [%g, %g]: %.3g\n", low, high, largest);
  return largest;
}

TEST(Math, ExpIsWithinTwoPartsInTenMillion) {
  const auto exact = [](double x) { return std::exp(x); };
  EXPECT_LT(LargestRelativeError(-87.3, 88.3, Exp, exact), 2e-7);
  EXPECT_LT(LargestRelativeError(-1, 1, Exp, exact), 2e-7);
}

TEST(Math, SoftplusIsWithinThreePartsInTenMillion) {
  const auto exact = [](double x) { return x > 20 ? x : std::log1p(std::exp(x)); };
  EXPECT_LT(LargestRelativeError(-80, 30, Softplus, exact), 3e-7);
  EXPECT_LT(LargestRelativeError(-3, 3, Softplus, exact), 3e-7);
}

TEST(Math, SiluIsWithinThreePartsInTenMillion) {
  const auto exact = [](double x) { return x / (1 + std::exp(-x)); };
  EXPECT_LT(LargestRelativeError(-80, -0.001, Silu, exact), 3e-7);
  EXPECT_LT(LargestRelativeError(0.001, 80, Silu, exact), 3e-7);
}

TEST(Math, TheEndsOfExpAreZeroAndFinite) {
  EXPECT_EQ(Exp(-100), 0.0f);
  EXPECT_EQ(Exp(-std::numeric_limits<float>::infinity()), 0.0f);
  EXPECT_TRUE(std::isfinite(Exp(1000)));
  EXPECT_EQ(Exp(0), 1.0f);
  EXPECT_TRUE(std::isnan(Exp(std::numeric_limits<float>::quiet_NaN())));
}

}  // namespace
}  // namespace statelib::kernels::exact
