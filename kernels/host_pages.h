// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_HOST_PAGES_H_
#define STATELIB_KERNELS_HOST_PAGES_H_

#include <algorithm>
#include <cstring>

#include "kernels/check.h"
#include "kernels/host_sequences.h"
#include "kernels/operations.h"
#include "kernels/weights.h"

namespace statelib::kernels {

inline void CheckAttention(const AttentionArgs& args) {
  STATELIB_CHECK(args.kv_heads > 0 && args.heads % args.kv_heads == 0);
  STATELIB_CHECK(args.q.cols % args.heads == 0 && args.k.cols % args.kv_heads == 0);
  STATELIB_CHECK(args.q.cols / args.heads == args.k.cols / args.kv_heads);
  STATELIB_CHECK(args.v.cols % args.kv_heads == 0);
  STATELIB_CHECK(args.out.cols == args.heads * (args.v.cols / args.kv_heads));
  STATELIB_CHECK(args.dtype == DType::kF32 || args.dtype == DType::kBF16);
}

/// The first position that the row at `position` sees.
inline size_t FirstSeen(const AttentionArgs& args, size_t position) {
  return args.window == 0 || position < args.window ? 0 : position + 1 - args.window;
}

/// Keys and values of one page of a sequence, in host memory. Rows and columns as AttentionArgs has
/// them, rows from the page's first position on.
class HostPage {
 public:
  HostPage(const AttentionArgs& args, const SequenceEntry& sequence, size_t page)
      : bytes_(sequence.pages[args.group * args.sequences.page_stride + page]),
        keys_(bytes_ + args.keys),
        values_(bytes_ + args.values),
        key_columns_(args.k.cols),
        value_columns_(args.v.cols),
        dtype_(args.dtype) {}

  void Put(size_t row, const float* key, const float* value) const {
    Store(keys_, row, key, key_columns_);
    Store(values_, row, value, value_columns_);
  }
  /// `count` columns of one row as f32.
  void Keys(size_t row, size_t column, size_t count, float* to) const {
    Load(keys_, row * key_columns_ + column, count, to);
  }
  void Values(size_t row, size_t column, size_t count, float* to) const {
    Load(values_, row * value_columns_ + column, count, to);
  }

 private:
  float At(const std::byte* from, size_t index) const {
    return LoadWeight(from, dtype_ == DType::kF32 ? WeightType::kF32 : WeightType::kBF16, index);
  }
  void Load(const std::byte* from, size_t index, size_t count, float* to) const {
    if (dtype_ == DType::kF32)
      std::memcpy(to, from + index * sizeof(float), count * sizeof(float));
    else
      for (size_t i = 0; i < count; ++i) to[i] = At(from, index + i);
  }
  void Store(std::byte* to, size_t row, const float* from, size_t columns) const {
    if (dtype_ == DType::kF32) {
      std::memcpy(to + row * columns * sizeof(float), from, columns * sizeof(float));
      return;
    }
    for (size_t i = 0; i < columns; ++i) {
      const uint16_t bits = BF16FromFloat(from[i]);
      std::memcpy(to + (row * columns + i) * sizeof(bits), &bits, sizeof(bits));
    }
  }

  std::byte* bytes_;
  std::byte *keys_, *values_;
  size_t key_columns_, value_columns_;
  DType dtype_;
};

/// Puts the keys and values of a sequence's rows into its pages.
inline void AppendToPages(const AttentionArgs& args, const SequenceEntry& sequence) {
  for (size_t t = 0; t < sequence.row_count; ++t) {
    const size_t row = sequence.first_row + t, position = sequence.position + t;
    HostPage(args, sequence, position / kPageTokens)
        .Put(position % kPageTokens, args.k.f32() + row * args.k.stride,
             args.v.f32() + row * args.v.stride);
  }
}

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_HOST_PAGES_H_
