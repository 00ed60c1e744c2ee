// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_EXACT_INTERLEAVED_SUM_H_
#define STATELIB_KERNELS_EXACT_INTERLEAVED_SUM_H_

#include <array>
#include <cstddef>

namespace statelib::kernels::exact {

/// A sum over 0 to count - 1 in the order of the norms: 16 interleaved sums from +0, each
/// sum = add(sum, i), then halves onto halves.
template <typename Add>
float InterleavedSum(size_t count, const Add& add) {
  std::array<float, 16> lanes{};
  for (size_t i = 0; i < count; ++i) lanes[i % 16] = add(lanes[i % 16], i);
  for (size_t half = 8; half > 0; half /= 2) {
    for (size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

}  // namespace statelib::kernels::exact

#endif  // STATELIB_KERNELS_EXACT_INTERLEAVED_SUM_H_
