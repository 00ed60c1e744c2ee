// SPDX-License-Identifier: Apache-2.0
// What follows the sums of a product: bias and epilogue.
#if defined(STATELIB_KERNELS_CPU_STORE_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STATELIB_KERNELS_CPU_STORE_SUMS_INL_H_
#undef STATELIB_KERNELS_CPU_STORE_SUMS_INL_H_
#else
#define STATELIB_KERNELS_CPU_STORE_SUMS_INL_H_
#endif

#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::STATELIB_TARGET {

/// The finished sums of some panels go through bias and epilogue into `out`.
HWY_INLINE void StoreSums(const float* sums, size_t sums_stride, const float* bias,
                          Epilogue epilogue, Rows out, size_t first, size_t last) {
  for (size_t t = 0; t < out.rows; ++t) {
    float* to = out.f32() + t * out.stride;
    const float* from = sums + t * sums_stride;
    ForEachVector(first, last, [&](size_t o, const auto& load, const auto& store) HWY_ATTR {
      VF sum = load(from + (o - first));
      if (bias != nullptr) sum = hn::Add(sum, load(bias + o));
      if (epilogue.scale != 1.0f) sum = hn::Mul(hn::Set(DF(), epilogue.scale), sum);
      if (epilogue.activation == Activation::kSoftplus) sum = Softplus(sum);
      if (epilogue.activation == Activation::kSilu) sum = Silu(sum);
      if (epilogue.add) sum = hn::Add(load(to + o), sum);
      store(sum, to + o);
    });
  }
}

}  // namespace statelib::kernels::STATELIB_TARGET
HWY_AFTER_NAMESPACE();

#endif
