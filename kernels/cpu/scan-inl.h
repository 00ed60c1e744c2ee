// SPDX-License-Identifier: Apache-2.0
// The selective scan in token order: channels are lanes, so no sum crosses a vector, and B and C
// are broadcast. A vector of channels walks through all rows of a sequence while its N states stay
// in the first cache.
#if defined(STATELIB_KERNELS_CPU_SCAN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STATELIB_KERNELS_CPU_SCAN_INL_H_
#undef STATELIB_KERNELS_CPU_SCAN_INL_H_
#else
#define STATELIB_KERNELS_CPU_SCAN_INL_H_
#endif

#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::STATELIB_TARGET {

void SelectiveScan(const SelectiveScanArgs& args, Part channels) {
  const DF d;
  const size_t width = args.x.cols, states = args.b.cols;
  for (const SequenceRows& sequence : args.sequences) {
    ForEachVector(
        channels.begin, channels.end, [&](size_t e, const auto& load, const auto& store) HWY_ATTR {
          const VF skip = load(args.d + e);
          for (size_t t = sequence.first_row; t < sequence.first_row + sequence.row_count; ++t) {
            const float* b = args.b.data + t * args.b.stride;
            const float* c = args.c.data + t * args.c.stride;
            const VF x = load(args.x.data + t * args.x.stride + e);
            const VF dt = load(args.dt.data + t * args.dt.stride + e);
            const VF dt_x = hn::Mul(dt, x);
            VF y = hn::Mul(skip, x);
            for (size_t n = 0; n < states; ++n) {
              float* state = sequence.state + n * width + e;
              const VF decay = Exp(hn::Mul(dt, load(args.a + n * width + e)));
              const VF s = hn::MulAdd(decay, load(state), hn::Mul(dt_x, hn::Set(d, b[n])));
              store(s, state);
              y = hn::MulAdd(s, hn::Set(d, c[n]), y);
            }
            store(hn::Mul(y, Silu(load(args.z.data + t * args.z.stride + e))),
                  args.y.data + t * args.y.stride + e);
          }
        });
  }
}

}  // namespace statelib::kernels::STATELIB_TARGET
HWY_AFTER_NAMESPACE();

#endif
