// SPDX-License-Identifier: Apache-2.0
// The selective scan in token order: channels are lanes, so no sum crosses a vector, and B and C
// are broadcast. A vector of channels walks through all rows of a sequence while its N states stay
// in the nearest cache.
#if defined(STATELIB_KERNELS_CPU_SCAN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STATELIB_KERNELS_CPU_SCAN_INL_H_
#undef STATELIB_KERNELS_CPU_SCAN_INL_H_
#else
#define STATELIB_KERNELS_CPU_SCAN_INL_H_
#endif

#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::STATELIB_TARGET {

/// Where the decay rates and the states of a vector of channels lie: state n at n * stride.
struct ScanColumns {
  const float* a;
  float* state;
  size_t stride;
};

// Vectors of channels between the one that is computed and the one that is brought near.
inline constexpr size_t kScanAhead = 4;

/// All rows of a sequence for the channels from e on. `kFar`: rates and states come from far memory
/// in more streams than the processor foresees by itself.
template <bool kFar, typename Load, typename Store>
HWY_INLINE void ScanRows(const SelectiveScanArgs& args, const SequenceEntry& sequence, size_t e,
                         const ScanColumns& columns, const Load& load, const Store& store) {
  const DF d;
  const size_t states = args.b.cols;
  const VF skip = load(args.d + e);
  for (size_t t = sequence.first_row; t < sequence.first_row + sequence.row_count; ++t) {
    const float* b = args.b.f32() + t * args.b.stride;
    const float* c = args.c.f32() + t * args.c.stride;
    const VF x = load(args.x.f32() + t * args.x.stride + e);
    const VF dt = load(args.dt.f32() + t * args.dt.stride + e);
    const VF dt_x = hn::Mul(dt, x);
    VF y = hn::Mul(skip, x);
    for (size_t n = 0; n < states; ++n) {
      float* state = columns.state + n * columns.stride;
      if constexpr (kFar) {
        PrefetchAhead(columns.a + n * columns.stride + kScanAhead * kLanes);
        PrefetchAhead(state + kScanAhead * kLanes);
      }
      const VF decay = Exp(hn::Mul(dt, load(columns.a + n * columns.stride)));
      const VF s = hn::MulAdd(decay, load(state), hn::Mul(dt_x, hn::Set(d, b[n])));
      store(s, state);
      y = hn::MulAdd(s, hn::Set(d, c[n]), y);
    }
    store(hn::Mul(y, Silu(load(args.z.f32() + t * args.z.stride + e))),
          args.y.f32() + t * args.y.stride + e);
  }
}

void SelectiveScan(const SelectiveScanArgs& args, Part channels) {
  // From so many rows on, states and rates are copied side by side: with a stride of the channels
  // they fall into a few sets of the nearest cache and push each other out.
  constexpr size_t kRowsToCopy = 4, kStatesToCopy = 64;
  const DF d;
  const size_t width = args.x.cols, states = args.b.cols;
  HWY_ALIGN float a[kStatesToCopy * kLanes], state[kStatesToCopy * kLanes];
  for (const SequenceEntry& sequence : HostEntries(args.sequences)) {
    float* const stored = StateOf(sequence, args.state);
    const bool copy = sequence.row_count >= kRowsToCopy && states <= kStatesToCopy;
    ForEachVector(
        channels.begin, channels.end, [&](size_t e, const auto& load, const auto& store) HWY_ATTR {
          if (!copy) {
            ScanRows<true>(args, sequence, e, {args.a + e, stored + e, width}, load, store);
            return;
          }
          for (size_t n = 0; n < states; ++n) {
            hn::Store(load(args.a + n * width + e), d, a + n * kLanes);
            hn::Store(load(stored + n * width + e), d, state + n * kLanes);
          }
          ScanRows<false>(args, sequence, e, {a, state, kLanes}, load, store);
          for (size_t n = 0; n < states; ++n)
            store(hn::Load(d, state + n * kLanes), stored + n * width + e);
        });
  }
}

}  // namespace statelib::kernels::STATELIB_TARGET
HWY_AFTER_NAMESPACE();

#endif
