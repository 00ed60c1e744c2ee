// SPDX-License-Identifier: Apache-2.0
// RMSNorm. The sum of squares is kept as 16 interleaved sums on every instruction set and then
// folded by halves.
#if defined(STATELIB_KERNELS_CPU_NORM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STATELIB_KERNELS_CPU_NORM_INL_H_
#undef STATELIB_KERNELS_CPU_NORM_INL_H_
#else
#define STATELIB_KERNELS_CPU_NORM_INL_H_
#endif

#include <cmath>

#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::STATELIB_TARGET {

HWY_INLINE float SumOfSquares(const float* x, size_t count) {
  constexpr size_t kVectors = 16 / kLanes;
  const DF d;
  VF sums[kVectors];
  for (size_t v = 0; v < kVectors; ++v) sums[v] = hn::Zero(d);
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    for (size_t v = 0; v < kVectors; ++v) {
      const VF value = hn::LoadU(d, x + i + v * kLanes);
      sums[v] = hn::MulAdd(value, value, sums[v]);
    }
  }
  HWY_ALIGN float lanes[16];
  for (size_t v = 0; v < kVectors; ++v) hn::Store(sums[v], d, lanes + v * kLanes);
  for (size_t lane = 0; i < count; ++i, ++lane) lanes[lane] = std::fma(x[i], x[i], lanes[lane]);
  for (size_t half = 8; half > 0; half /= 2) {
    for (size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

void RmsNorm(ConstRows x, const float* weight, float epsilon, Rows out, Part rows) {
  for (size_t t = rows.begin; t < rows.end; ++t) {
    const float* from = x.f32() + t * x.stride;
    float* to = out.f32() + t * out.stride;
    const float mean = SumOfSquares(from, x.cols) / static_cast<float>(x.cols);
    const VF scale = hn::Set(DF(), 1.0f / std::sqrt(mean + epsilon));
    ForEachVector(0, x.cols, [&](size_t i, const auto& load, const auto& store) HWY_ATTR {
      store(hn::Mul(hn::Mul(load(from + i), scale), load(weight + i)), to + i);
    });
  }
}

}  // namespace statelib::kernels::STATELIB_TARGET
HWY_AFTER_NAMESPACE();

#endif
