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

#include "kernels/check.h"
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

/// A step of a vector of channels without its output.
template <typename Load, typename Store>
HWY_INLINE void ReplayRow(VF dt, VF x, const float* b, size_t states, const ScanColumns& columns,
                          const Load& load, const Store& store) {
  const VF dt_x = hn::Mul(dt, x);
  for (size_t n = 0; n < states; ++n) {
    float* state = columns.state + n * columns.stride;
    const VF decay = Exp(hn::Mul(dt, load(columns.a + n * columns.stride)));
    store(hn::MulAdd(decay, load(state), hn::Mul(dt_x, hn::Set(DF(), b[n]))), state);
  }
}

/// Rows [begin, end) of a sequence for the channels from e on. `kFar`: rates and states come from
/// far memory in more streams than the processor foresees by itself.
template <bool kFar, typename Load, typename Store>
HWY_INLINE void ScanRows(const SelectiveScanArgs& args, const SequenceEntry& sequence, size_t begin,
                         size_t end, size_t e, const ScanColumns& columns, const Load& load,
                         const Store& store) {
  const DF d;
  const size_t states = args.b.cols;
  const VF skip = load(args.d + e);
  for (size_t t = sequence.first_row + begin; t < sequence.first_row + end; ++t) {
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

/// Kept rows first, then those after which the state is, then the open ones, which leave it.
/// columns: a copy of the states stored at `stored`.
template <typename Load, typename Store>
HWY_INLINE void ScanOpenRows(const SelectiveScanArgs& args, const SequenceEntry& sequence, size_t e,
                             const ScanColumns& columns, float* stored, const Load& load,
                             const Store& store) {
  const DF d;
  const size_t width = args.x.cols, states = args.b.cols, settled = SettledRows(sequence);
  const KeptScanInputs kept(args.sequences, args.kept, width, width);
  for (size_t i = 0; i < sequence.kept_rows; ++i) {
    ReplayRow(load(KeptBefore(sequence, kept.dt) + i * width + e),
              load(KeptBefore(sequence, kept.x) + i * width + e),
              KeptBefore(sequence, kept.b) + i * states, states, columns, load, store);
  }
  // Before y takes the place of x.
  for (size_t i = 0; i < sequence.open_rows; ++i) {
    const size_t t = sequence.first_row + settled + i;
    store(load(args.dt.f32() + t * args.dt.stride + e), KeptNow(sequence, kept.dt) + i * width + e);
    store(load(args.x.f32() + t * args.x.stride + e), KeptNow(sequence, kept.x) + i * width + e);
  }
  ScanRows<false>(args, sequence, 0, settled, e, columns, load, store);
  for (size_t n = 0; n < states; ++n)
    store(hn::Load(d, columns.state + n * columns.stride), stored + n * width + e);
  ScanRows<false>(args, sequence, settled, sequence.row_count, e, columns, load, store);
}

void SelectiveScan(const SelectiveScanArgs& args, Part channels) {
  // From so many rows on, states and rates are copied side by side: with a stride of the channels
  // they fall into a few sets of the nearest cache and push each other out.
  constexpr size_t kRowsToCopy = 4, kStatesToCopy = 64, kStatesMax = 1024;
  const DF d;
  const size_t width = args.x.cols, states = args.b.cols;
  STATELIB_CHECK(states <= kStatesMax);
  HWY_ALIGN float a[kStatesMax * kLanes], state[kStatesMax * kLanes];
  for (const SequenceEntry& sequence : HostEntries(args.sequences)) {
    float* const stored = StateOf(sequence, args.state);
    const bool open = sequence.kept_rows + sequence.open_rows > 0;
    const bool copy = open || (sequence.row_count >= kRowsToCopy && states <= kStatesToCopy);
    if (channels.begin == 0) {
      KeepOpenRows(sequence, args.b, 0, states,
                   KeptScanInputs(args.sequences, args.kept, width, width).b);
    }
    ForEachVector(channels.begin, channels.end,
                  [&](size_t e, const auto& load, const auto& store) HWY_ATTR {
                    if (!copy) {
                      ScanRows<true>(args, sequence, 0, sequence.row_count, e,
                                     {args.a + e, stored + e, width}, load, store);
                      return;
                    }
                    for (size_t n = 0; n < states; ++n) {
                      hn::Store(load(args.a + n * width + e), d, a + n * kLanes);
                      hn::Store(load(stored + n * width + e), d, state + n * kLanes);
                    }
                    if (open) {
                      ScanOpenRows(args, sequence, e, {a, state, kLanes}, stored, load, store);
                      return;
                    }
                    ScanRows<false>(args, sequence, 0, sequence.row_count, e, {a, state, kLanes},
                                    load, store);
                    for (size_t n = 0; n < states; ++n)
                      store(hn::Load(d, state + n * kLanes), stored + n * width + e);
                  });
  }
}

}  // namespace statelib::kernels::STATELIB_TARGET
HWY_AFTER_NAMESPACE();

#endif
