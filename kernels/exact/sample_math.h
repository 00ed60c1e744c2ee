// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_EXACT_SAMPLE_MATH_H_
#define STATELIB_KERNELS_EXACT_SAMPLE_MATH_H_

#include <cmath>
#include <cstdint>

#include "kernels/exact/fixed_log.h"
#include "kernels/exact/math.h"
#include "kernels/exact/philox.h"
#include "kernels/host_device.h"

/// The numbers of a choice (kernels/sampling.h), for every backend.
namespace statelib::kernels::exact {

/// The weight of the likeliest token. 2^24 such weights and their double fit 64 bits.
inline constexpr uint64_t kWeightOne = uint64_t{1} << 38;

/// The weight of a token whose probability relative to the likeliest is e, in [0, 1]. Exact up to
/// the cut: the product only changes the exponent.
STATELIB_HOST_DEVICE inline uint64_t WeightOf(float e) {
  return static_cast<uint64_t>(e * 0x1p38f);
}

/// e for an x that is a number. It never decreases where x increases, for Exp does not on [-27, 0]
/// (seen on every float of it), so that the likelier of two tokens never weighs less.
STATELIB_HOST_DEVICE inline float RelativeProbability(float x, float largest,
                                                      float inverse_temperature) {
  return x == largest ? 1.0f : Exp((x - largest) * inverse_temperature);
}

/// A product of 64-bit numbers.
struct Product {
  uint64_t high, low;
};

STATELIB_HOST_DEVICE inline Product Multiply(uint64_t a, uint64_t b) {
  constexpr uint64_t kLow = 0xffffffff;
  const uint64_t middle = (a & kLow) * (b >> 32) + ((a & kLow) * (b & kLow) >> 32);
  const uint64_t other = (a >> 32) * (b & kLow) + (middle & kLow);
  return {(a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32), a * b};
}

/// What the weights of the tokens that top-p keeps have to reach. total: at most 2^62.
STATELIB_HOST_DEVICE inline uint64_t WeightToReach(double top_p, uint64_t total) {
  const Product product = Multiply(static_cast<uint64_t>(top_p * 0x1p63), 2 * total);
  const uint64_t needed = product.high + (product.low != 0 ? 1 : 0);
  return needed > 0 ? needed : 1;
}

/// The least weight that min-p keeps, at most kWeightOne.
STATELIB_HOST_DEVICE inline uint64_t LeastWeight(double min_p) {
  return static_cast<uint64_t>(std::ceil(min_p * 0x1p38));
}

/// The draw: the number in [0, total) that the sum of the weights has to exceed.
STATELIB_HOST_DEVICE inline uint64_t WeightToExceed(uint64_t seed, uint64_t position,
                                                    uint64_t total) {
  return Multiply(RandomBits(seed, position), total).high;
}

/// log p of a token. total: the sum of the weights at temperature 1, of which the largest logit's
/// is kWeightOne.
STATELIB_HOST_DEVICE inline double LogProbability(float logit, float largest, uint64_t total) {
  const double difference =
      logit == largest ? 0.0 : static_cast<double>(logit) - static_cast<double>(largest);
  return difference - FixedLog(static_cast<double>(total) * 0x1p-38);
}

}  // namespace statelib::kernels::exact

#endif  // STATELIB_KERNELS_EXACT_SAMPLE_MATH_H_
