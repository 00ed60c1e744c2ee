// SPDX-License-Identifier: Apache-2.0
// What a choice of tokens does with every logit (kernels/sampling.h): the largest, the first that
// equals or exceeds a number, and the weights, as integers in two 32-bit parts, so that every lane
// is one token's.
#if defined(STATELIB_KERNELS_CPU_SAMPLE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STATELIB_KERNELS_CPU_SAMPLE_INL_H_
#undef STATELIB_KERNELS_CPU_SAMPLE_INL_H_
#else
#define STATELIB_KERNELS_CPU_SAMPLE_INL_H_
#endif

#include <limits>

#include "kernels/cpu/cpu_kernels.h"
#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::STATELIB_TARGET {

/// The largest of x; what is no number is passed over, so that minus infinity may be none of x.
float LargestLogit(const float* x, size_t count) {
  const DF d;
  VF most = hn::Set(d, -std::numeric_limits<float>::infinity());
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const VF value = hn::LoadU(d, x + i);
    most = hn::IfThenElse(hn::Gt(value, most), value, most);
  }
  HWY_ALIGN float lanes[kLanes];
  hn::Store(most, d, lanes);
  float largest = lanes[0];
  for (const float lane : lanes) largest = lane > largest ? lane : largest;
  for (; i < count; ++i) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

/// The first i where x[i] is `value`; count where none is.
size_t IndexOfLogit(const float* x, size_t count, float value) {
  const DF d;
  const VF wanted = hn::Set(d, value);
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const intptr_t lane = hn::FindFirstTrue(d, hn::Eq(hn::LoadU(d, x + i), wanted));
    if (lane >= 0) return i + static_cast<size_t>(lane);
  }
  while (i < count && x[i] != value) ++i;
  return i;
}

/// The first i of [begin, end) where x[i] is above `bound`; end where none is.
size_t IndexOfLogitAbove(const float* x, size_t begin, size_t end, float bound) {
  const DF d;
  const VF below = hn::Set(d, bound);
  size_t i = begin;
  for (; i + kLanes <= end; i += kLanes) {
    const intptr_t lane = hn::FindFirstTrue(d, hn::Gt(hn::LoadU(d, x + i), below));
    if (lane >= 0) return i + static_cast<size_t>(lane);
  }
  while (i < end && !(x[i] > bound)) ++i;
  return i;
}

/// Probabilities relative to the largest, e, of some tokens, and the sum of their weights.
HWY_INLINE uint64_t WeighPart(const LogitScale& scale, const float* x, size_t count, float* e) {
  const DF d;
  const DI di;
  const VF largest = hn::Set(d, scale.largest), inverse = hn::Set(d, scale.inverse_temperature),
           least = hn::Set(d, scale.least);
  // floor(e * 2^38) = high * 2^14 + low: 2^24 of a float's 24 bits are before the point.
  auto high = hn::Zero(di), low = hn::Zero(di);
  const auto weigh = [&](VF value) HWY_ATTR {
    const VF difference = hn::IfThenElse(hn::Eq(value, largest), hn::Zero(d),
                                         hn::Mul(hn::Sub(value, largest), inverse));
    VF relative = Exp(difference);
    relative = hn::IfThenElseZero(hn::And(hn::Eq(value, value), hn::Ge(relative, least)), relative);
    const VF scaled = hn::Mul(relative, hn::Set(d, 0x1p24f));
    const auto whole = hn::ConvertTo(di, scaled);
    const VF rest = hn::Mul(hn::Sub(scaled, hn::ConvertTo(d, whole)), hn::Set(d, 0x1p14f));
    high = hn::Add(high, whole);
    low = hn::Add(low, hn::ConvertTo(di, rest));
    return relative;
  };
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) hn::StoreU(weigh(hn::LoadU(d, x + i)), d, e + i);
  if (i < count) {
    HWY_ALIGN float part[kLanes];
    for (size_t lane = 0; lane < kLanes; ++lane)
      part[lane] = i + lane < count ? x[i + lane] : std::numeric_limits<float>::quiet_NaN();
    hn::Store(weigh(hn::Load(d, part)), d, part);
    for (size_t lane = 0; i + lane < count; ++lane) e[i + lane] = part[lane];
  }
  HWY_ALIGN int32_t high_lanes[kLanes], low_lanes[kLanes];
  hn::Store(high, di, high_lanes);
  hn::Store(low, di, low_lanes);
  uint64_t sum = 0;
  for (size_t lane = 0; lane < kLanes; ++lane)
    sum += (static_cast<uint64_t>(high_lanes[lane]) << 14) + static_cast<uint64_t>(low_lanes[lane]);
  return sum;
}

/// The same of a row: e [count], sums [blocks of kWeighBlock].
void WeighLogits(const LogitScale& scale, const float* x, size_t count, float* e, uint64_t* sums) {
  // A lane's high parts, of at most 2^24, are added in 31 bits.
  constexpr size_t kPart = kWeighBlock / kLanes < 128 ? kWeighBlock : 64 * kLanes;
  for (size_t first = 0; first < count; first += kPart) {
    const uint64_t sum =
        WeighPart(scale, x + first, count - first < kPart ? count - first : kPart, e + first);
    uint64_t& block = sums[first / kWeighBlock];
    block = first % kWeighBlock == 0 ? sum : block + sum;
  }
}

}  // namespace statelib::kernels::STATELIB_TARGET
HWY_AFTER_NAMESPACE();

#endif
