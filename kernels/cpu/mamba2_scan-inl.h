// SPDX-License-Identifier: Apache-2.0
// Mamba-2's scan, a head at a time over all rows of a sequence: the head's state [N, P] (32 kB at
// 128 x 64) stays in the nearest caches. Channels are lanes; a tile of states by channels stays in
// registers while it walks through the rows, and each output goes on from its partial sum, so its
// chain over n is in plain order.
#if defined(STATELIB_KERNELS_CPU_MAMBA2_SCAN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STATELIB_KERNELS_CPU_MAMBA2_SCAN_INL_H_
#undef STATELIB_KERNELS_CPU_MAMBA2_SCAN_INL_H_
#else
#define STATELIB_KERNELS_CPU_MAMBA2_SCAN_INL_H_
#endif

#include <algorithm>

#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::STATELIB_TARGET {

/// A head's time steps over a block of rows.
struct HeadSteps {
  static constexpr size_t kRowsMax = 128;
  float dt[kRowsMax];
  float decay[kRowsMax];
};

HWY_INLINE void MakeSteps(const Mamba2ScanArgs& args, size_t head, size_t first_row, size_t rows,
                          HeadSteps& steps) {
  const DF d;
  const VF bias = hn::Set(d, args.dt_bias[head]), a = hn::Set(d, args.a[head]);
  const VF low = hn::Set(d, args.dt_min), high = hn::Set(d, args.dt_max);
  for (size_t t = 0; t < rows; ++t)
    steps.dt[t] = args.dt_raw.f32()[(first_row + t) * args.dt_raw.stride + head];
  ForEachVector(0, rows, [&](size_t t, const auto& load, const auto& store) HWY_ATTR {
    const VF dt = hn::Min(hn::Max(Softplus(hn::Add(load(steps.dt + t), bias)), low), high);
    store(dt, steps.dt + t);
    store(Exp(hn::Mul(dt, a)), steps.decay + t);
  });
}

/// kStates states of one vector of channels through a block of rows.
template <size_t kStates, typename Load, typename Store>
HWY_INLINE void ScanTile(const Mamba2ScanArgs& args, const HeadSteps& steps, size_t first_row,
                         size_t rows, size_t e, const float* b, const float* c, float* state,
                         size_t state_stride, const Load& load, const Store& store) {
  const DF d;
  VF s[kStates];
  HWY_UNROLL(8)
  for (size_t n = 0; n < kStates; ++n) s[n] = load(state + n * state_stride);
  for (size_t t = 0; t < rows; ++t) {
    const size_t row = first_row + t;
    const VF decay = hn::Set(d, steps.decay[t]);
    const VF dt_x = hn::Mul(hn::Set(d, steps.dt[t]), load(args.x.f32() + row * args.x.stride + e));
    float* to = args.y.f32() + row * args.y.stride + e;
    VF y = load(to);
    HWY_UNROLL(8)
    for (size_t n = 0; n < kStates; ++n) {
      s[n] = hn::MulAdd(decay, s[n], hn::Mul(dt_x, hn::Set(d, b[row * args.b.stride + n])));
      y = hn::MulAdd(s[n], hn::Set(d, c[row * args.c.stride + n]), y);
    }
    store(y, to);
  }
  HWY_UNROLL(8)
  for (size_t n = 0; n < kStates; ++n) store(s[n], state + n * state_stride);
}

/// One head through a block of rows.
HWY_INLINE void ScanHead(const Mamba2ScanArgs& args, size_t head, size_t first_row, size_t rows,
                         float* state) {
  constexpr size_t kTile = 8;
  const size_t heads = args.dt_raw.cols, width = args.x.cols / heads,
               states = args.b.cols / args.groups;
  const size_t group = head / (heads / args.groups);
  HeadSteps steps;
  MakeSteps(args, head, first_row, rows, steps);
  const float* b = args.b.f32() + group * states;
  const float* c = args.c.f32() + group * states;
  ForEachVector(0, width, [&](size_t p, const auto& load, const auto& store) HWY_ATTR {
    const size_t e = head * width + p;
    const VF skip = load(args.d + e);
    for (size_t t = first_row; t < first_row + rows; ++t) {
      store(hn::Mul(skip, load(args.x.f32() + t * args.x.stride + e)),
            args.y.f32() + t * args.y.stride + e);
    }
    size_t n = 0;
    for (; n + kTile <= states; n += kTile) {
      ScanTile<kTile>(args, steps, first_row, rows, e, b + n, c + n, state + n * width + p, width,
                      load, store);
    }
    for (; n < states; ++n) {
      ScanTile<1>(args, steps, first_row, rows, e, b + n, c + n, state + n * width + p, width, load,
                  store);
    }
    for (size_t t = first_row; t < first_row + rows; ++t) {
      float* y = args.y.f32() + t * args.y.stride + e;
      store(hn::Mul(load(y), Silu(load(args.z.f32() + t * args.z.stride + e))), y);
    }
  });
}

void Mamba2Scan(const Mamba2ScanArgs& args, Part heads) {
  const size_t head_state = args.x.cols / args.dt_raw.cols * (args.b.cols / args.groups);
  for (const SequenceEntry& sequence : HostEntries(args.sequences)) {
    float* const state = StateOf(sequence, args.state);
    for (size_t head = heads.begin; head < heads.end; ++head) {
      for (size_t t = 0; t < sequence.row_count; t += HeadSteps::kRowsMax) {
        const size_t rows = std::min(HeadSteps::kRowsMax, sequence.row_count - t);
        ScanHead(args, head, sequence.first_row + t, rows, state + head * head_state);
      }
    }
  }
}

}  // namespace statelib::kernels::STATELIB_TARGET
HWY_AFTER_NAMESPACE();

#endif
