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

#include "kernels/check.h"
#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::STATELIB_TARGET {

/// A head's time steps over a block of rows.
struct HeadSteps {
  static constexpr size_t kRowsMax = 128;
  float dt[kRowsMax];
  float decay[kRowsMax];
};

/// What a head takes of a block of rows. Without `c` it gives no output, and without
/// `writes_state` it leaves the state.
struct HeadRows {
  size_t count;
  ConstRows x;         // [count, E]
  const float *b, *c;  // the first state of the head's group in the first row
  size_t b_stride, c_stride;
  Rows y;  // [count, E]
  bool writes_state;
};

/// dt: [rows] numbers apart by `stride`, before the bias, or finished where `is_kept`.
HWY_INLINE void MakeSteps(const Mamba2ScanArgs& args, size_t head, const float* dt, size_t stride,
                          size_t rows, bool is_kept, HeadSteps& steps) {
  const DF d;
  const VF bias = hn::Set(d, args.dt_bias[head]), a = hn::Set(d, args.a[head]);
  const VF low = hn::Set(d, args.dt_min), high = hn::Set(d, args.dt_max);
  for (size_t t = 0; t < rows; ++t) steps.dt[t] = dt[t * stride];
  ForEachVector(0, rows, [&](size_t t, const auto& load, const auto& store) HWY_ATTR {
    VF step = load(steps.dt + t);
    if (!is_kept) step = hn::Min(hn::Max(Softplus(hn::Add(step, bias)), low), high);
    store(step, steps.dt + t);
    store(Exp(hn::Mul(step, a)), steps.decay + t);
  });
}

/// kStates states of one vector of channels, those from e on, through a block of rows.
template <size_t kStates, typename Load, typename Store>
HWY_INLINE void ScanTile(const HeadRows& rows, const HeadSteps& steps, size_t e, size_t first_state,
                         float* state, size_t state_stride, const Load& load, const Store& store) {
  const DF d;
  VF s[kStates];
  HWY_UNROLL(8)
  for (size_t n = 0; n < kStates; ++n) s[n] = load(state + n * state_stride);
  for (size_t t = 0; t < rows.count; ++t) {
    const VF decay = hn::Set(d, steps.decay[t]);
    const VF dt_x = hn::Mul(hn::Set(d, steps.dt[t]), load(rows.x.f32() + t * rows.x.stride + e));
    const float* b = rows.b + t * rows.b_stride + first_state;
    HWY_UNROLL(8)
    for (size_t n = 0; n < kStates; ++n)
      s[n] = hn::MulAdd(decay, s[n], hn::Mul(dt_x, hn::Set(d, b[n])));
    if (rows.c == nullptr) continue;
    const float* c = rows.c + t * rows.c_stride + first_state;
    float* to = rows.y.f32() + t * rows.y.stride + e;
    VF y = load(to);
    HWY_UNROLL(8)
    for (size_t n = 0; n < kStates; ++n) y = hn::MulAdd(s[n], hn::Set(d, c[n]), y);
    store(y, to);
  }
  if (!rows.writes_state) return;
  HWY_UNROLL(8)
  for (size_t n = 0; n < kStates; ++n) store(s[n], state + n * state_stride);
}

/// One head through a block of rows.
HWY_INLINE void ScanHead(const Mamba2ScanArgs& args, size_t head, const HeadRows& rows,
                         const HeadSteps& steps, float* state) {
  constexpr size_t kTile = 8;
  const size_t heads = args.dt_raw.cols, width = args.x.cols / heads,
               states = args.b.cols / args.groups;
  ForEachVector(0, width, [&](size_t p, const auto& load, const auto& store) HWY_ATTR {
    const size_t e = head * width + p;
    for (size_t t = 0; rows.c != nullptr && t < rows.count; ++t) {
      const VF skip = args.d == nullptr
                          ? hn::Zero(DF())
                          : hn::Mul(load(args.d + e), load(rows.x.f32() + t * rows.x.stride + e));
      store(skip, rows.y.f32() + t * rows.y.stride + e);
    }
    size_t n = 0;
    for (; n + kTile <= states; n += kTile)
      ScanTile<kTile>(rows, steps, e, n, state + n * width + p, width, load, store);
    for (; n < states; ++n)
      ScanTile<1>(rows, steps, e, n, state + n * width + p, width, load, store);
  });
}

/// The gate of one head's outputs of a block that begins with `row`.
HWY_INLINE void GateHead(const Mamba2ScanArgs& args, size_t head, size_t row, size_t count) {
  const size_t width = args.x.cols / args.dt_raw.cols;
  for (size_t t = row; t < row + count; ++t) {
    ForEachVector(head * width, (head + 1) * width,
                  [&](size_t e, const auto& load, const auto& store) HWY_ATTR {
                    float* y = args.y.f32() + t * args.y.stride + e;
                    store(hn::Mul(load(y), Silu(load(args.z.f32() + t * args.z.stride + e))), y);
                  });
  }
}

/// A head of one sequence: kept rows first, then those after which the state is, then the open
/// ones.
void ScanHeadOfSequence(const Mamba2ScanArgs& args, size_t head, const SequenceEntry& sequence) {
  const size_t heads = args.dt_raw.cols, channels = args.x.cols, all_states = args.b.cols,
               states = all_states / args.groups;
  const size_t first_state = head / (heads / args.groups) * states;
  float* const state = StateOf(sequence, args.state) + head * (channels / heads) * states;
  const KeptScanInputs kept(args.sequences, args.kept, heads, channels);
  HeadSteps steps;
  if (sequence.kept_rows > 0) {
    const size_t count = sequence.kept_rows;
    MakeSteps(args, head, KeptBefore(sequence, kept.dt) + head, heads, count, true, steps);
    const HeadRows rows{count,
                        {KeptBefore(sequence, kept.x), count, channels, channels},
                        KeptBefore(sequence, kept.b) + first_state,
                        nullptr,
                        all_states,
                        0,
                        {},
                        true};
    ScanHead(args, head, rows, steps, state);
  }
  const size_t settled = SettledRows(sequence);
  for (size_t i = 0; i < sequence.row_count;) {
    const bool writes_state = i < settled;
    const size_t end = writes_state ? settled : sequence.row_count;
    const size_t t = sequence.first_row + i, count = std::min(HeadSteps::kRowsMax, end - i);
    MakeSteps(args, head, args.dt_raw.f32() + t * args.dt_raw.stride + head, args.dt_raw.stride,
              count, false, steps);
    const HeadRows rows{count,
                        {args.x.f32() + t * args.x.stride, count, channels, args.x.stride},
                        args.b.f32() + t * args.b.stride + first_state,
                        args.c.f32() + t * args.c.stride + first_state,
                        args.b.stride,
                        args.c.stride,
                        {args.y.f32() + t * args.y.stride, count, channels, args.y.stride},
                        writes_state};
    ScanHead(args, head, rows, steps, state);
    if (args.z.data != nullptr) GateHead(args, head, t, count);
    for (size_t k = 0; !writes_state && k < count; ++k)
      KeptNow(sequence, kept.dt)[k * heads + head] = steps.dt[k];
    i += count;
  }
}

void Mamba2Scan(const Mamba2ScanArgs& args, Part heads) {
  STATELIB_CHECK(args.sequences.kept_rows_max <= HeadSteps::kRowsMax);
  const KeptScanInputs kept(args.sequences, args.kept, args.dt_raw.cols, args.x.cols);
  const size_t width = args.x.cols / args.dt_raw.cols;
  for (const SequenceEntry& sequence : HostEntries(args.sequences)) {
    KeepOpenRows(sequence, args.x, heads.begin * width, heads.end * width, kept.x);
    if (heads.begin == 0) KeepOpenRows(sequence, args.b, 0, args.b.cols, kept.b);
    for (size_t head = heads.begin; head < heads.end; ++head)
      ScanHeadOfSequence(args, head, sequence);
  }
}

}  // namespace statelib::kernels::STATELIB_TARGET
HWY_AFTER_NAMESPACE();

#endif
