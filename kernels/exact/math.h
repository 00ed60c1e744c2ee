// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_EXACT_MATH_H_
#define STATELIB_KERNELS_EXACT_MATH_H_

#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/host_device.h"

/// The transcendental functions of the runtime as fixed sequences of IEEE operations.
/// kernels/cpu/math-inl.h does the same operations in the same order on vectors, so that both give
/// the same bits; a change here is a change there and a new kernel revision. The CUDA kernels call
/// these very functions. Measured against libm in tests/kernels/math_test.cc.
namespace statelib::kernels::exact {

/// e^x, relative error below 1.2e-7; 0 below -87.33, 2.4e38 above 88.37. NaN gives NaN.
STATELIB_HOST_DEVICE inline float Exp(float x) {
  constexpr float kLowest = -87.33654f, kHighest = 88.376259f;
  constexpr float kLog2E = 1.44269504f,
                  kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  const bool vanishes = x < kLowest;
  if (x > kHighest) x = kHighest;
  if (vanishes) x = kLowest;
  const float rounded = std::fma(x, kLog2E, kRound);  // its low bits are the integer
  const float n = rounded - kRound;
  float r = std::fma(n, -kLn2High, x);
  r = std::fma(n, -kLn2Low, r);
  // Minimax polynomial for e^r on [-ln2/2, ln2/2] (Cephes expf, S. Moshier).
  float p = 1.9875691500e-4f;
  p = std::fma(p, r, 1.3981999507e-3f);
  p = std::fma(p, r, 8.3334519073e-3f);
  p = std::fma(p, r, 4.1665795894e-2f);
  p = std::fma(p, r, 1.6666665459e-1f);
  p = std::fma(p, r, 5.0000001201e-1f);
  const float y = std::fma(p, r * r, r) + 1.0f;
  const auto scale = std::bit_cast<float>((std::bit_cast<uint32_t>(rounded) + 127) << 23);
  return vanishes ? 0.0f : y * scale;
}

/// log(1 + u) for u >= 0, relative error below 2e-7.
STATELIB_HOST_DEVICE inline float Log1p(float u) {
  constexpr float kSqrtHalf = 0.70710678f, kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  const float w = 1.0f + u;
  const float lost = (u - (w - 1.0f)) / w;  // what rounding 1 + u lost, to first order
  const auto bits = std::bit_cast<int32_t>(w);
  float e = static_cast<float>((bits >> 23) - 126);
  float m = std::bit_cast<float>((bits & 0x007fffff) | 0x3f000000);  // in [0.5, 1)
  const bool below = m < kSqrtHalf;
  e = below ? e - 1.0f : e;
  m = below ? (m - 1.0f) + m : m - 1.0f;
  // Minimax polynomial for log(1 + m) (Cephes logf, S. Moshier).
  float p = 7.0376836292e-2f;
  p = std::fma(p, m, -1.1514610310e-1f);
  p = std::fma(p, m, 1.1676998740e-1f);
  p = std::fma(p, m, -1.2420140846e-1f);
  p = std::fma(p, m, 1.4249322787e-1f);
  p = std::fma(p, m, -1.6668057665e-1f);
  p = std::fma(p, m, 2.0000714765e-1f);
  p = std::fma(p, m, -2.4999993993e-1f);
  p = std::fma(p, m, 3.3333331174e-1f);
  const float z = m * m;
  float y = (m * z) * p;
  y = std::fma(e, kLn2Low, y);
  y = std::fma(z, -0.5f, y);
  return std::fma(e, kLn2High, (m + y) + lost);
}

/// v > 20 ? v : log(1 + e^v), as the published kernels have it.
STATELIB_HOST_DEVICE inline float Softplus(float v) {
  if (v > 20.0f) return v;
  return Log1p(Exp(v));
}

/// z / (1 + e^-z)
STATELIB_HOST_DEVICE inline float Silu(float z) { return z / (1.0f + Exp(-z)); }

}  // namespace statelib::kernels::exact

#endif  // STATELIB_KERNELS_EXACT_MATH_H_
