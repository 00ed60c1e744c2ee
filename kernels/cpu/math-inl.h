// SPDX-License-Identifier: Apache-2.0
// The functions of kernels/exact/math.h on vectors: the same operations in the same order, so
// the same bits. Compiled once for each instruction set; hence the include guard that toggles.
#if defined(STATELIB_KERNELS_CPU_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STATELIB_KERNELS_CPU_MATH_INL_H_
#undef STATELIB_KERNELS_CPU_MATH_INL_H_
#else
#define STATELIB_KERNELS_CPU_MATH_INL_H_
#endif

#include "hwy/highway.h"

// The namespace of what is compiled for one instruction set.
#ifndef STATELIB_TARGET
#define STATELIB_TARGET HWY_NAMESPACE
#endif

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::STATELIB_TARGET {

namespace hn = hwy::HWY_NAMESPACE;

// Vectors never hold more lanes than a panel has outputs.
using DF = hn::CappedTag<float, 16>;
using DI = hn::RebindToSigned<DF>;
using VF = hn::Vec<DF>;
inline constexpr size_t kLanes = hn::MaxLanes(DF());

HWY_INLINE VF Exp(VF x) {
  const DF d;
  const DI di;
  const VF lowest = hn::Set(d, -87.33654f), highest = hn::Set(d, 88.376259f);
  const auto vanishes = hn::Lt(x, lowest);
  x = hn::Min(hn::Max(x, lowest), highest);
  const VF round = hn::Set(d, 12582912.0f);
  const VF n = hn::Sub(hn::MulAdd(x, hn::Set(d, 1.44269504f), round), round);
  VF r = hn::MulAdd(n, hn::Set(d, -0.693359375f), x);
  r = hn::MulAdd(n, hn::Set(d, 2.12194440e-4f), r);
  VF p = hn::Set(d, 1.9875691500e-4f);
  p = hn::MulAdd(p, r, hn::Set(d, 1.3981999507e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 8.3334519073e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 4.1665795894e-2f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.6666665459e-1f));
  p = hn::MulAdd(p, r, hn::Set(d, 5.0000001201e-1f));
  const VF y = hn::Add(hn::MulAdd(p, hn::Mul(r, r), r), hn::Set(d, 1.0f));
  const auto exponent = hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(di, n), hn::Set(di, 127)));
  return hn::IfThenZeroElse(vanishes, hn::Mul(y, hn::BitCast(d, exponent)));
}

HWY_INLINE VF Log1p(VF u) {
  const DF d;
  const DI di;
  const VF one = hn::Set(d, 1.0f);
  const VF w = hn::Add(one, u);
  const VF lost = hn::Div(hn::Sub(u, hn::Sub(w, one)), w);
  const auto bits = hn::BitCast(di, w);
  VF e = hn::ConvertTo(d, hn::Sub(hn::ShiftRight<23>(bits), hn::Set(di, 126)));
  VF m = hn::BitCast(d, hn::Or(hn::And(bits, hn::Set(di, 0x007fffff)), hn::Set(di, 0x3f000000)));
  const auto below = hn::Lt(m, hn::Set(d, 0.70710678f));
  e = hn::IfThenElse(below, hn::Sub(e, one), e);
  const VF m1 = hn::Sub(m, one);
  m = hn::IfThenElse(below, hn::Add(m1, m), m1);
  VF p = hn::Set(d, 7.0376836292e-2f);
  p = hn::MulAdd(p, m, hn::Set(d, -1.1514610310e-1f));
  p = hn::MulAdd(p, m, hn::Set(d, 1.1676998740e-1f));
  p = hn::MulAdd(p, m, hn::Set(d, -1.2420140846e-1f));
  p = hn::MulAdd(p, m, hn::Set(d, 1.4249322787e-1f));
  p = hn::MulAdd(p, m, hn::Set(d, -1.6668057665e-1f));
  p = hn::MulAdd(p, m, hn::Set(d, 2.0000714765e-1f));
  p = hn::MulAdd(p, m, hn::Set(d, -2.4999993993e-1f));
  p = hn::MulAdd(p, m, hn::Set(d, 3.3333331174e-1f));
  const VF z = hn::Mul(m, m);
  VF y = hn::Mul(hn::Mul(m, z), p);
  y = hn::MulAdd(e, hn::Set(d, -2.12194440e-4f), y);
  y = hn::MulAdd(z, hn::Set(d, -0.5f), y);
  return hn::MulAdd(e, hn::Set(d, 0.693359375f), hn::Add(hn::Add(m, y), lost));
}

HWY_INLINE VF Softplus(VF v) {
  return hn::IfThenElse(hn::Gt(v, hn::Set(DF(), 20.0f)), v, Log1p(Exp(v)));
}

HWY_INLINE VF Silu(VF z) { return hn::Div(z, hn::Add(hn::Set(DF(), 1.0f), Exp(hn::Neg(z)))); }

/// Brings a line near that is needed in some microseconds. It may lie outside of any memory.
HWY_INLINE void PrefetchAhead(const void* line) { __builtin_prefetch(line, 0, 2); }

/// Calls body(first, load, store) for every full vector of [begin, end) and once for the rest, so
/// that a body is written once: load and store take part of a vector at the end.
template <typename Body>
HWY_INLINE void ForEachVector(size_t begin, size_t end, const Body& body) {
  const DF d;
  size_t i = begin;
  for (; i + kLanes <= end; i += kLanes) {
    body(
        i, [d](const float* from) HWY_ATTR { return hn::LoadU(d, from); },
        [d](VF value, float* to) HWY_ATTR { hn::StoreU(value, d, to); });
  }
  if (i == end) return;
  const size_t rest = end - i;
  const auto load = [d, rest](const float* from) HWY_ATTR {
    HWY_ALIGN float part[kLanes] = {};
    for (size_t lane = 0; lane < rest; ++lane) part[lane] = from[lane];
    return hn::Load(d, part);
  };
  const auto store = [d, rest](VF value, float* to) HWY_ATTR {
    HWY_ALIGN float part[kLanes];
    hn::Store(value, d, part);
    for (size_t lane = 0; lane < rest; ++lane) to[lane] = part[lane];
  };
  body(i, load, store);
}

}  // namespace statelib::kernels::STATELIB_TARGET
HWY_AFTER_NAMESPACE();

#endif
