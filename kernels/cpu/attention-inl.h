// SPDX-License-Identifier: Apache-2.0
// Attention over pages, a head of keys and values of one sequence at a time: a page's keys are
// turned so that positions are lanes of a score, and serve every row and head of queries that sees
// them; of the sums of values, columns are lanes.
#if defined(STATELIB_KERNELS_CPU_ATTENTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STATELIB_KERNELS_CPU_ATTENTION_INL_H_
#undef STATELIB_KERNELS_CPU_ATTENTION_INL_H_
#else
#define STATELIB_KERNELS_CPU_ATTENTION_INL_H_
#endif

#include <algorithm>

#include "kernels/cpu/attention_scratch.h"
#include "kernels/cpu/math-inl.h"
#include "kernels/host_pages.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::STATELIB_TARGET {

/// weights[j] = exp(scale * (q . key j) - their largest) for j in [begin, end) of a page, and that
/// largest one.
HWY_INLINE float WeighPage(const AttentionScratch& scratch, const float* q, float scale,
                           size_t begin, size_t end) {
  const DF d;
  float* const weights = scratch.weights;
  ForEachVector(begin, end, [&](size_t j, const auto& load, const auto& store) HWY_ATTR {
    VF dot = hn::Zero(d);
    for (size_t i = 0; i < scratch.width; ++i)
      dot = hn::MulAdd(load(scratch.keys + i * kPageTokens + j), hn::Set(d, q[i]), dot);
    store(hn::Mul(hn::Set(d, scale), dot), weights + j);
  });
  const float largest = *std::max_element(weights + begin, weights + end);
  ForEachVector(begin, end, [&](size_t j, const auto& load, const auto& store) HWY_ATTR {
    store(Exp(hn::Sub(load(weights + j), hn::Set(d, largest))), weights + j);
  });
  return largest;
}

/// Joins what one row and head makes of positions [begin, end) of a page with what it has.
HWY_INLINE void AttendPage(const AttentionScratch& scratch, const float* q, float scale,
                           size_t begin, size_t end, bool is_first, const RunningRow& running) {
  const DF d;
  const float largest = WeighPage(scratch, q, scale, begin, end);
  float sum = 0;
  for (size_t j = begin; j < end; ++j) sum += scratch.weights[j];
  const float both = is_first ? largest : std::max(*running.largest, largest);
  const VF before = is_first ? hn::Zero(d) : Exp(hn::Set(d, *running.largest - both));
  const VF now = Exp(hn::Set(d, largest - both));
  ForEachVector(0, scratch.value_width,
                [&](size_t i, const auto& load, const auto& store) HWY_ATTR {
                  VF own = hn::Zero(d);
                  for (size_t j = begin; j < end; ++j) {
                    own = hn::MulAdd(hn::Set(d, scratch.weights[j]),
                                     load(scratch.values + j * scratch.value_width + i), own);
                  }
                  if (!is_first)
                    own = hn::MulAdd(load(running.values + i), before, hn::Mul(now, own));
                  store(own, running.values + i);
                });
  *running.sum = is_first ? sum
                          : hn::GetLane(hn::MulAdd(hn::Set(d, *running.sum), before,
                                                   hn::Mul(now, hn::Set(d, sum))));
  *running.largest = both;
}

/// One head of keys and values of one sequence, whose pages hold its rows already.
void Attention(const AttentionArgs& args, const SequenceEntry& sequence, size_t kv_head,
               const AttentionScratch& scratch) {
  const size_t heads = args.heads / args.kv_heads, first_head = kv_head * heads;
  const size_t last = sequence.position + sequence.row_count - 1;
  for (size_t page = FirstSeen(args, sequence.position) / kPageTokens; page <= last / kPageTokens;
       ++page) {
    const size_t first = page * kPageTokens;
    scratch.BringPage(HostPage(args, sequence, page), kv_head,
                      std::min(last + 1 - first, kPageTokens));
    for (size_t t = 0; t < sequence.row_count; ++t) {
      const size_t position = sequence.position + t, seen = FirstSeen(args, position);
      if (position < first || seen >= first + kPageTokens) continue;
      const float* const q = args.q.f32() + (sequence.first_row + t) * args.q.stride;
      for (size_t h = 0; h < heads; ++h) {
        AttendPage(scratch, q + (first_head + h) * scratch.width, args.scale,
                   std::max(seen, first) - first,
                   std::min(position + 1, first + kPageTokens) - first, page == seen / kPageTokens,
                   scratch.Running(t * heads + h));
      }
    }
  }
  for (size_t t = 0; t < sequence.row_count; ++t) {
    for (size_t h = 0; h < heads; ++h) {
      const RunningRow running = scratch.Running(t * heads + h);
      float* const to = args.out.f32() + (sequence.first_row + t) * args.out.stride +
                        (first_head + h) * scratch.value_width;
      ForEachVector(0, scratch.value_width,
                    [&](size_t i, const auto& load, const auto& store) HWY_ATTR {
                      store(hn::Div(load(running.values + i), hn::Set(DF(), *running.sum)), to + i);
                    });
    }
  }
}

}  // namespace statelib::kernels::STATELIB_TARGET
HWY_AFTER_NAMESPACE();

#endif
