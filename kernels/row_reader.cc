// SPDX-License-Identifier: Apache-2.0
#include "kernels/row_reader.h"

#include "kernels/quantize.h"
#include "kernels/weight_blocks.h"
#include "kernels/weights.h"

namespace statelib::kernels {

RowReader::RowReader(const WeightView& weights, WeightFormat format)
    : weights_(weights), held_(HeldType(weights.type, format)), values_(weights.cols) {
  if (IsBlockType(held_)) blocks_.resize(QuantizedRowBytes(held_, weights.cols));
}

const std::byte* RowReader::Blocks(size_t index) {
  if (weights_.type == held_) return weights_.data + index * RowBytes(weights_.type, weights_.cols);
  QuantizeRow(held_, Values(index), blocks_.data());
  return blocks_.data();
}

std::span<const float> RowReader::Values(size_t index) {
  const size_t row_bytes = RowBytes(weights_.type, weights_.cols);
  const std::byte* row = weights_.data + index * row_bytes;
  if (IsBlockType(weights_.type)) {
    DecodeBlocks(weights_.type, {row, row_bytes}, values_);
  } else {
    for (size_t i = 0; i < values_.size(); ++i) values_[i] = LoadWeight(row, weights_.type, i);
  }
  return values_;
}

}  // namespace statelib::kernels
