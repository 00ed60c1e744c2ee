// SPDX-License-Identifier: Apache-2.0
// The two steps in which processors differ most: products of bf16 pairs and of groups of four
// bytes. Each gives the same bits everywhere, as one instruction where the target has it.
#if defined(STATELIB_KERNELS_CPU_DOT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STATELIB_KERNELS_CPU_DOT_INL_H_
#undef STATELIB_KERNELS_CPU_DOT_INL_H_
#else
#define STATELIB_KERNELS_CPU_DOT_INL_H_
#endif

#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::STATELIB_TARGET {

using DU = hn::RebindToUnsigned<DF>;
using VU = hn::Vec<DU>;
using VI = hn::Vec<DI>;

/// sum + the products of two pairs of bf16, each pair the low and the high half of a lane: the high
/// half first, each a fused multiply-add. Subnormals are to be flushed (FlushSubnormals).
HWY_INLINE VF DotPairs(VF sum, VU a, VU b) {
#if STATELIB_TARGET_HAS_BF16
  return VF{_mm512_dpbf16_ps(sum.raw, reinterpret_cast<__m512bh>(a.raw),
                             reinterpret_cast<__m512bh>(b.raw))};
#else
  const DF d;
  const VU high = hn::Set(DU(), 0xffff0000u);
  sum = hn::MulAdd(hn::BitCast(d, hn::And(a, high)), hn::BitCast(d, hn::And(b, high)), sum);
  return hn::MulAdd(hn::BitCast(d, hn::ShiftLeft<16>(a)), hn::BitCast(d, hn::ShiftLeft<16>(b)),
                    sum);
#endif
}

/// sum + the four products of bytes of a lane: not negative in `codes`, signed in `x`.
HWY_INLINE VI DotBytes(VI sum, VU codes, VI x) {
#if STATELIB_TARGET_HAS_VNNI
  (void)DI();
  return VI{_mm512_dpbusd_epi32(sum.raw, codes.raw, x.raw)};
#elif HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  // Even and odd bytes as 16-bit numbers: products of bytes in 16 bits would saturate.
  const hn::Repartition<int16_t, DI> d16;
  const auto codes16 = hn::BitCast(hn::RebindToUnsigned<decltype(d16)>(), codes);
  const auto x16 = hn::BitCast(d16, x);
  const auto even = hn::And(codes16, hn::Set(hn::RebindToUnsigned<decltype(d16)>(), 0x00ff));
  const auto odd = hn::ShiftRight<8>(codes16);
  const auto x_even = hn::ShiftRight<8>(hn::ShiftLeft<8>(x16)), x_odd = hn::ShiftRight<8>(x16);
#if HWY_TARGET == HWY_AVX3
  const VI products_even{_mm512_madd_epi16(even.raw, x_even.raw)};
  const VI products_odd{_mm512_madd_epi16(odd.raw, x_odd.raw)};
#else
  const VI products_even{_mm256_madd_epi16(even.raw, x_even.raw)};
  const VI products_odd{_mm256_madd_epi16(odd.raw, x_odd.raw)};
#endif
  return hn::Add(hn::Add(sum, products_even), products_odd);
#else
  const DI d;
  const VI c = hn::BitCast(d, codes), low = hn::Set(d, 0xff);
  sum = hn::Add(sum, hn::Mul(hn::And(c, low), hn::ShiftRight<24>(hn::ShiftLeft<24>(x))));
  sum = hn::Add(
      sum, hn::Mul(hn::And(hn::ShiftRight<8>(c), low), hn::ShiftRight<24>(hn::ShiftLeft<16>(x))));
  sum = hn::Add(
      sum, hn::Mul(hn::And(hn::ShiftRight<16>(c), low), hn::ShiftRight<24>(hn::ShiftLeft<8>(x))));
  return hn::Add(sum, hn::Mul(hn::And(hn::ShiftRight<24>(c), low), hn::ShiftRight<24>(x)));
#endif
}

}  // namespace statelib::kernels::STATELIB_TARGET
HWY_AFTER_NAMESPACE();

#endif
