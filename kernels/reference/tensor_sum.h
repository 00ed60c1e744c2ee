// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_REFERENCE_TENSOR_SUM_H_
#define STATELIB_KERNELS_REFERENCE_TENSOR_SUM_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

/// What the tensor cores of Hopper (compute capability 9.0) make of bf16 operands and an f32 sum,
/// found by comparison with a card: the oracle of kernels/cuda/tensor_product.h.
namespace statelib::kernels::reference {

inline constexpr size_t kTensorStep = 16;  ///< inputs that the tensor core adds at a time

/// A finite bf16 number as significand · 2^exponent with the significand in units of 2^-7.
struct SplitBF16 {
  int64_t significand;  // with sign
  int exponent;         // of the unit of a normal number's first bit; -126 for subnormals

  explicit SplitBF16(uint16_t bits) : significand(bits & 0x7f), exponent((bits >> 7 & 0xff) - 127) {
    if (exponent == -127) {
      exponent = -126;
    } else {
      significand |= 0x80;
    }
    if (bits >> 15 != 0) significand = -significand;
  }
};

/// One step: the sum plus sixteen products. Products are exact; they and the sum are aligned to the
/// largest exponent among them (a product's is the sum of its operands', though it may begin with a
/// bit more) and cut towards zero at 25 bits behind the point; the cut terms are added exactly, and
/// the result is cut towards zero to f32. All finite; w and x: up to sixteen numbers.
inline float AddTensorStep(float sum, std::span<const uint16_t> w, std::span<const uint16_t> x) {
  constexpr int kFractionBits = 25, kProductBits = 14, kSumBits = 23;
  int64_t terms[kTensorStep + 1];
  int exponents[kTensorStep + 1];
  int units[kTensorStep + 1];  // bits behind the point of each term
  size_t count = 0;
  int largest = -10000;
  for (size_t i = 0; i < w.size(); ++i) {
    const SplitBF16 a(w[i]), b(x[i]);
    terms[count] = a.significand * b.significand;
    exponents[count] = a.exponent + b.exponent;
    units[count] = kProductBits;
    if (terms[count] == 0) continue;
    largest = std::max(largest, exponents[count]);
    ++count;
  }
  if (sum != 0) {
    int exponent = 0;
    const float fraction = std::frexp(sum, &exponent);  // in [0.5, 1)
    exponents[count] = std::max(exponent - 1, -126);
    terms[count] =
        static_cast<int64_t>(std::ldexp(fraction, exponent - exponents[count] + kSumBits));
    units[count] = kSumBits;
    largest = std::max(largest, exponents[count]);
    ++count;
  }
  if (count == 0) return 0;
  int64_t total = 0;
  for (size_t i = 0; i < count; ++i) {
    const int shift = kFractionBits - units[i] - (largest - exponents[i]);
    const int64_t magnitude = terms[i] < 0 ? -terms[i] : terms[i];
    const int64_t cut = shift >= 0 ? magnitude << shift : shift > -63 ? magnitude >> -shift : 0;
    total += terms[i] < 0 ? -cut : cut;
  }
  // To 24 significant bits, towards zero.
  int64_t magnitude = total < 0 ? -total : total;
  int dropped = 0;
  while (magnitude >> dropped >= int64_t{1} << 24) ++dropped;
  magnitude = magnitude >> dropped << dropped;
  return static_cast<float>(
      std::ldexp(static_cast<double>(total < 0 ? -magnitude : magnitude), largest - kFractionBits));
}

/// A whole output: chains of `chain_inputs` (a multiple of 16) from +0, added in order.
inline float TensorSum(std::span<const uint16_t> w, std::span<const uint16_t> x,
                       size_t chain_inputs) {
  float sum = 0;
  for (size_t first = 0; first < w.size(); first += chain_inputs) {
    const size_t last = std::min(first + chain_inputs, w.size());
    float chain = 0;
    for (size_t at = first; at < last; at += kTensorStep) {
      const size_t count = std::min(kTensorStep, last - at);
      chain = AddTensorStep(chain, w.subspan(at, count), x.subspan(at, count));
    }
    sum += chain;
  }
  return sum;
}

}  // namespace statelib::kernels::reference

#endif  // STATELIB_KERNELS_REFERENCE_TENSOR_SUM_H_
