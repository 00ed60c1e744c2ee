// SPDX-License-Identifier: Apache-2.0
// Causal depthwise convolution with SiLU: channels are lanes, rows are walked in time.
#if defined(STATELIB_KERNELS_CPU_CONV_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STATELIB_KERNELS_CPU_CONV_INL_H_
#undef STATELIB_KERNELS_CPU_CONV_INL_H_
#else
#define STATELIB_KERNELS_CPU_CONV_INL_H_
#endif

#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::STATELIB_TARGET {

/// Input number `index` of a sequence whose saved inputs are numbers 0 .. kernel - 2; those that
/// were kept come next.
HWY_INLINE const float* ConvInput(const CausalConvArgs& args, const SequenceEntry& sequence,
                                  const float* window, size_t index) {
  const size_t saved = args.kernel - 1;
  if (index < saved) return window + index * args.x.cols;
  if (index < saved + sequence.kept_rows)
    return KeptBefore(sequence, args.kept) + (index - saved) * args.x.cols;
  return args.x.f32() + (sequence.first_row + index - saved - sequence.kept_rows) * args.x.stride;
}

void CausalConv(const CausalConvArgs& args, Part channels) {
  const size_t width = args.x.cols, kernel = args.kernel;
  for (const SequenceEntry& sequence : HostEntries(args.sequences)) {
    float* const window = StateOf(sequence, args.state);
    const size_t first = sequence.kept_rows;
    for (size_t t = 0; t < sequence.row_count; ++t) {
      float* out = args.out.f32() + (sequence.first_row + t) * args.out.stride;
      ForEachVector(channels.begin, channels.end,
                    [&](size_t e, const auto& load, const auto& store) HWY_ATTR {
                      VF sum = load(args.bias + e);
                      for (size_t j = 0; j < kernel; ++j) {
                        sum = hn::MulAdd(load(args.weight + j * width + e),
                                         load(ConvInput(args, sequence, window, first + t + j) + e),
                                         sum);
                      }
                      store(Silu(sum), out + e);
                    });
    }
    KeepOpenRows(sequence, args.x, channels.begin, channels.end, args.kept);
    // Oldest first, so that a saved input is read before its place is overwritten.
    for (size_t j = 0; j + 1 < kernel; ++j) {
      const float* from = ConvInput(args, sequence, window, first + SettledRows(sequence) + j);
      float* to = window + j * width;
      for (size_t e = channels.begin; e < channels.end; ++e) to[e] = from[e];
    }
  }
}

}  // namespace statelib::kernels::STATELIB_TARGET
HWY_AFTER_NAMESPACE();

#endif
