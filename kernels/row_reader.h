// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_ROW_READER_H_
#define STATELIB_KERNELS_ROW_READER_H_

#include <span>
#include <vector>

#include "kernels/backend.h"

namespace statelib::kernels {

/// Reads the rows of a stored matrix in the type that a format holds them in, for packing.
/// Thread-compatible: each thread has its own.
class RowReader {
 public:
  RowReader(const WeightView& weights, WeightFormat format);

  /// What Blocks or Values give: a block type, kBF16 (Values rounded to it by the caller) or a
  /// plain type.
  WeightType held() const { return held_; }

  /// Row `index` as whole blocks of held(), a block type; quantised where it is not stored so.
  /// Valid until the next call.
  const std::byte* Blocks(size_t index);
  /// Row `index` as exact f32 values. Valid until the next call.
  std::span<const float> Values(size_t index);

 private:
  const WeightView& weights_;
  WeightType held_;
  std::vector<float> values_;
  std::vector<std::byte> blocks_;
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_ROW_READER_H_
