// SPDX-License-Identifier: Apache-2.0
// Inputs in the form that a product takes them: rounded to bf16, or quantised to bytes by the
// operations of kernels/exact/quantized_input.h.
#if defined(STATELIB_KERNELS_CPU_PREPARED_INPUT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STATELIB_KERNELS_CPU_PREPARED_INPUT_INL_H_
#undef STATELIB_KERNELS_CPU_PREPARED_INPUT_INL_H_
#else
#define STATELIB_KERNELS_CPU_PREPARED_INPUT_INL_H_
#endif

#include <algorithm>
#include <bit>
#include <limits>

#include "kernels/backend.h"
#include "kernels/cpu/dot-inl.h"
#include "kernels/cpu/prepared_input.h"
#include "kernels/weights.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::STATELIB_TARGET {

/// BF16FromFloat on a vector, in the low halves of the lanes.
HWY_INLINE VU RoundToBF16(VF value) {
  const DU d;
  const VU bits = hn::BitCast(d, value);
  const VU magnitude = hn::And(bits, hn::Set(d, 0x7fffffff));
  const VU odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d, 1));
  VU rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(hn::Set(d, 0x7fff), odd)));
  const VU truncated = hn::ShiftRight<16>(bits);
  rounded = hn::IfThenElse(hn::Gt(magnitude, hn::Set(d, 0x7f800000)),
                           hn::Or(truncated, hn::Set(d, 0x40)), rounded);
  return hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, 0x00800000)),
                        hn::And(truncated, hn::Set(d, 0x8000)), rounded);
}

/// all: [x.rows][cols filled up to even], the filling 0, of which some rows are written.
void RoundToPairs(ConstRows x, Part rows, uint16_t* all) {
  const hn::Rebind<uint16_t, DF> d16;
  const size_t stride = (x.cols + 1) / 2 * 2;
  for (size_t t = rows.begin; t < rows.end; ++t) {
    uint16_t* to = all + t * stride;
    const float* from = x.f32() + t * x.stride;
    size_t k = 0;
    for (; k + kLanes <= x.cols; k += kLanes) {
      const VU rounded = RoundToBF16(hn::LoadU(DF(), from + k));
      hn::StoreU(hn::DemoteTo(d16, hn::BitCast(DI(), rounded)), d16, to + k);
    }
    for (; k < x.cols; ++k) to[k] = BF16FromFloat(from[k]);
    if (k < stride) to[k] = 0;
  }
}

/// Quantises 32 inputs; sums: of the codes of each half, or of all in the first.
HWY_INLINE float QuantizeBlock(const float* x, bool halves, int8_t* codes, int32_t* sums) {
  const DF d;
  const DU du;
  const hn::Rebind<int8_t, DF> d8;
  constexpr size_t kVectors = kBlockInputs / kLanes, kHalf = kVectors / 2;
  VF values[kVectors];
  VU largest_bits = hn::Zero(du);
  for (size_t v = 0; v < kVectors; ++v) {
    values[v] = hn::LoadU(d, x + v * kLanes);
    largest_bits =
        hn::Max(largest_bits, hn::And(hn::BitCast(du, values[v]), hn::Set(du, 0x7fffffff)));
  }
  const uint32_t bits = hn::GetLane(hn::MaxOfLanes(du, largest_bits));
  const float largest = std::bit_cast<float>(bits);
  const bool finite = bits < 0x7f800000, vanishes = largest < exact::kSmallestInput;
  if (!finite || vanishes) {
    std::fill_n(codes, kBlockInputs, int8_t{0});
    sums[0] = sums[1] = 0;
    return finite ? 0.0f : std::numeric_limits<float>::quiet_NaN();
  }
  const VF inverse = hn::Set(d, 127.0f / largest), round = hn::Set(d, 12582912.0f);
  VI half_sums[2];
  for (size_t half = 0; half < 2; ++half) {
    half_sums[half] = hn::Zero(DI());
    for (size_t v = half * kHalf; v < (half + 1) * kHalf; ++v) {
      const VF scaled = hn::Mul(values[v], inverse);
      const VI code = hn::ConvertTo(DI(), hn::Sub(hn::Add(scaled, round), round));
      half_sums[half] = hn::Add(half_sums[half], code);
      hn::StoreU(hn::DemoteTo(d8, code), d8, codes + v * kLanes);
    }
  }
  if (halves) {
    for (size_t half = 0; half < 2; ++half)
      sums[half] = hn::GetLane(hn::SumOfLanes(DI(), half_sums[half]));
  } else {
    sums[0] = hn::GetLane(hn::SumOfLanes(DI(), hn::Add(half_sums[0], half_sums[1])));
    sums[1] = 0;
  }
  return largest / 127.0f;
}

/// Fills some rows of `to`.
void QuantizeRows(ConstRows x, WeightType type, Part rows, const QuantizedRows& to) {
  const BlockLayout layout = LayoutOf(type);
  const size_t subs = kBlockInputs / layout.sub_elements;
  for (size_t t = rows.begin; t < rows.end; ++t) {
    const float* from = x.f32() + t * x.stride;
    for (size_t b = 0; b < to.blocks; ++b) {
      const size_t first = b * kBlockInputs, at = t * to.blocks + b;
      HWY_ALIGN float padded[kBlockInputs];
      const float* block = from + first;
      if (first + kBlockInputs > x.cols) {
        std::fill_n(padded, kBlockInputs, 0.0f);
        std::copy_n(block, x.cols - first, padded);
        block = padded;
      }
      int32_t sums[2];
      const float scale = QuantizeBlock(block, subs == 2, to.codes + at * kBlockInputs, sums);
      to.scales[at] = scale;
      to.minimum_factors[at] = -(scale * static_cast<float>(sums[0] + sums[1]));
      if (subs == 1) {
        to.starts[at] = -layout.offset * (sums[0] + sums[1]);
      } else {
        to.starts[2 * at] = -layout.offset * sums[0];
        to.starts[2 * at + 1] = -layout.offset * sums[1];
      }
    }
  }
}

/// Brings some rows of x into the form that a product with such a matrix takes.
void PrepareInput(PackedKind kind, ConstRows x, Part rows, std::byte* prepared) {
  switch (kind) {
    case PackedKind::kF32:
    case PackedKind::kBF16:
      return;
    case PackedKind::kBF16Pairs:
      return RoundToPairs(x, rows, reinterpret_cast<uint16_t*>(prepared));
    default:
      QuantizeRows(x, TypeOf(kind), rows, QuantizedRows(x.rows, x.cols, prepared));
  }
}

}  // namespace statelib::kernels::STATELIB_TARGET
HWY_AFTER_NAMESPACE();

#endif
