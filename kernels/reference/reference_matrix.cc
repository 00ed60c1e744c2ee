// SPDX-License-Identifier: Apache-2.0
// The orders of operations of every kind of product: the contract that the other backends follow.
#include "kernels/reference/reference_matrix.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/exact/quantized_input.h"
#include "kernels/flush_subnormals.h"
#include "kernels/row_reader.h"
#include "kernels/weight_blocks.h"
#include "kernels/weights.h"

namespace statelib::kernels {

using exact::InputBlock;
using exact::kInputBlock;

ReferenceMatrix::ReferenceMatrix(const WeightView& weights, WeightFormat format)
    : Matrix(weights.rows, weights.cols),
      held_(HeldType(weights.type, format)),
      pairs_(format == WeightFormat::kBF16) {
  RowReader reader(weights, format);
  for (size_t r = 0; r < rows(); ++r) {
    if (IsBlockType(held_)) {
      ReadBlocks(reader.Blocks(r));
      continue;
    }
    for (const float value : reader.Values(r))
      values_.push_back(pairs_ ? FloatFromBF16(BF16FromFloat(value)) : value);
  }
}

void ReferenceMatrix::ReadBlocks(const std::byte* stored) {
  const BlockLayout layout = LayoutOf(held_);
  BlockCodes numbers;
  std::array<float, kBlockElementsMax> values;
  for (size_t first = 0; first < cols(); first += layout.elements) {
    UnpackBlock(held_, stored, numbers);
    stored += InfoOf(held_).block_bytes;
    DecodeBlock(held_, numbers, values.data());
    values_.insert(
        values_.end(), values.begin(),
        values.begin() + static_cast<ptrdiff_t>(std::min(layout.elements, cols() - first)));
    const float d = FloatFromF16(numbers.d), dmin = FloatFromF16(numbers.dmin);
    for (size_t i = 0; i < layout.elements && first + i < cols(); i += kInputBlock) {
      Block block{};
      for (size_t half = 0; half < 2; ++half) {
        const size_t sub = (i + half * 16) / layout.sub_elements;
        block.scales[half] = layout.has_scales ? d * static_cast<float>(numbers.scales[sub]) : d;
      }
      block.minimum = dmin * static_cast<float>(numbers.minimums[i / kInputBlock]);
      for (size_t k = 0; k < kInputBlock; ++k)
        block.codes[k] = numbers.codes[i + k] - layout.offset;
      blocks_.push_back(block);
    }
  }
}

float ReferenceMatrix::ExactSum(const float* weights, const float* x) const {
  float sum = 0.0f;
  for (size_t k = 0; k < cols(); ++k) sum = std::fma(weights[k], x[k], sum);
  return sum;
}

/// The odd input of each pair first, with subnormals flushed: VDPBF16PS. A missing last input is 0.
float ReferenceMatrix::PairSum(const float* weights, const float* x) const {
  float sum = 0.0f;
  for (size_t k = 0; k < cols(); k += 2) {
    const bool odd_there = k + 1 < cols();
    sum = std::fma(odd_there ? weights[k + 1] : 0.0f, odd_there ? x[k + 1] : 0.0f, sum);
    sum = std::fma(weights[k], x[k], sum);
  }
  return sum;
}

/// For each block of 32 inputs: the products of codes summed exactly, then
///   sum = fma(integer sum, weight scale * input scale, sum)            for each scale of the block
///   sum = fma(minimum, -(input scale * sum of the input's codes), sum) in types with minimums
void ReferenceMatrix::BlockSums(const float* x, float* out) const {
  const BlockLayout layout = LayoutOf(held_);
  const size_t blocks = (cols() + kInputBlock - 1) / kInputBlock;
  std::vector<InputBlock> inputs;
  for (size_t b = 0; b < blocks; ++b) {
    const size_t first = b * kInputBlock;
    inputs.push_back(exact::QuantizeInput(x + first, std::min(kInputBlock, cols() - first)));
  }
  for (size_t o = 0; o < rows(); ++o) {
    float sum = 0.0f;
    for (size_t b = 0; b < blocks; ++b) {
      const Block& block = blocks_[o * blocks + b];
      const InputBlock& input = inputs[b];
      int total = 0, codes_total = 0;
      for (size_t k = 0; k < kInputBlock; ++k) {
        total += block.codes[k] * input.codes[k];
        codes_total += input.codes[k];
        if ((k + 1) % layout.sub_elements != 0) continue;
        sum = std::fma(static_cast<float>(total), block.scales[k / 16] * input.scale, sum);
        total = 0;
      }
      if (layout.has_minimums) {
        sum = std::fma(block.minimum, -(input.scale * static_cast<float>(codes_total)), sum);
      }
    }
    out[o] = sum;
  }
}

void ReferenceMatrix::Multiply(const float* x, float* out) const {
  if (IsBlockType(held_)) return BlockSums(x, out);
  if (!pairs_) {
    for (size_t o = 0; o < rows(); ++o) out[o] = ExactSum(row(o), x);
    return;
  }
  std::vector<float> rounded(cols());
  for (size_t k = 0; k < cols(); ++k) rounded[k] = FloatFromBF16(BF16FromFloat(x[k]));
  for (size_t o = 0; o < rows(); ++o) out[o] = PairSum(row(o), rounded.data());
}

}  // namespace statelib::kernels
