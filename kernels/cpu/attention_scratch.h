// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CPU_ATTENTION_SCRATCH_H_
#define STATELIB_KERNELS_CPU_ATTENTION_SCRATCH_H_

#include "kernels/host_pages.h"

namespace statelib::kernels {

/// One row and head of queries on its way through the pages.
struct RunningRow {
  float* largest;
  float* sum;
  float* values;  // [value width]
};

/// What one thread needs for attention, in memory that the caller has.
struct AttentionScratch {
  AttentionScratch(const AttentionArgs& args, float* memory)
      : width(args.q.cols / args.heads),
        value_width(args.v.cols / args.kv_heads),
        keys(memory),
        values(keys + width * kPageTokens),
        weights(values + value_width * kPageTokens),
        running(weights + kPageTokens) {}

  static size_t Floats(const AttentionArgs& args) {
    const size_t width = args.q.cols / args.heads, value_width = args.v.cols / args.kv_heads;
    const size_t rows = args.sequences.rows_longest * (args.heads / args.kv_heads);
    return (width + value_width + 1) * kPageTokens + rows * (value_width + 2);
  }

  RunningRow Running(size_t index) const {
    float* const row = running + index * (value_width + 2);
    return {row, row + 1, row + 2};
  }

  /// The first `count` positions of a page: keys turned, values as they are, both as f32.
  void BringPage(const HostPage& page, size_t kv_head, size_t count) const {
    for (size_t j = 0; j < count; ++j) {
      float* const key = weights;  // which nobody needs now; both have room for a row
      for (size_t begin = 0; begin < width; begin += kPageTokens) {
        const size_t some = width - begin < kPageTokens ? width - begin : kPageTokens;
        page.Keys(j, kv_head * width + begin, some, key);
        for (size_t i = 0; i < some; ++i) keys[(begin + i) * kPageTokens + j] = key[i];
      }
      page.Values(j, kv_head * value_width, value_width, values + j * value_width);
    }
  }

  size_t width, value_width;
  float* keys;     // [width, kPageTokens]
  float* values;   // [kPageTokens, value width]
  float* weights;  // [kPageTokens]
  float* running;
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_CPU_ATTENTION_SCRATCH_H_
