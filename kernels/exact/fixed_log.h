// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_EXACT_FIXED_LOG_H_
#define STATELIB_KERNELS_EXACT_FIXED_LOG_H_

#include <bit>
#include <cstdint>

#include "kernels/host_device.h"

namespace statelib::kernels::exact {

/// The natural logarithm of a normal number above zero as a fixed sequence of IEEE operations, for
/// numbers that become part of a file: the C library's differ from machine to machine in the last
/// bit. Relative error below 4e-16, so that rounding it to float gives the float nearest to the
/// logarithm but for one in a hundred million. Measured in tests/kernels/fixed_log_test.cc.
STATELIB_HOST_DEVICE inline double FixedLog(double x) {
  constexpr double kSqrt2 = 1.4142135623730951;
  // ln 2 in two parts; the product of the high one and an exponent is exact (fdlibm, Sun).
  constexpr double kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10;
  const auto bits = std::bit_cast<uint64_t>(x);
  auto exponent = static_cast<double>(static_cast<int64_t>(bits >> 52) - 1023);
  double m = std::bit_cast<double>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);  // [1, 2)
  if (m > kSqrt2) {
    m *= 0.5;
    exponent += 1;
  }
  // log m = 2 atanh s = 2 s (1 + z/3 + z^2/5 + …), |s| < 0.172: what is left out is below 2^-58.
  const double s = (m - 1.0) / (m + 1.0), z = s * s;
  double sum = 0;
  for (int power = 23; power >= 3; power -= 2) sum = (sum + 1.0 / power) * z;
  const double low = 2.0 * s * sum + exponent * kLn2Low;
  return exponent * kLn2High + (2.0 * s + low);
}

}  // namespace statelib::kernels::exact

#endif  // STATELIB_KERNELS_EXACT_FIXED_LOG_H_
