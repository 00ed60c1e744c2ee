// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_REFERENCE_REFERENCE_MATRIX_H_
#define STATELIB_KERNELS_REFERENCE_REFERENCE_MATRIX_H_

#include <vector>

#include "kernels/backend.h"

namespace statelib::kernels {

/// Weights by rows as plain numbers, and the three ways in which a row and inputs become a sum:
/// exact values, bf16 pairs, and blocks of codes.
class ReferenceMatrix : public Matrix {
 public:
  ReferenceMatrix(const WeightView& weights, WeightFormat format);

  /// The weights of a row as f32, those of blocks decoded.
  const float* row(size_t index) const { return values_.data() + index * cols(); }
  /// Whether products and what follows them flush subnormals.
  bool flushes() const { return pairs_; }
  /// out[o] = the sum over x [cols] of every row's products. out: rows.
  /// To be called with subnormals flushed where flushes() says so.
  void Multiply(const float* x, float* out) const;

 private:
  struct Block {  // 32 weights
    float scales[2];
    float minimum;
    int codes[32];
  };

  void ReadBlocks(const std::byte* stored);
  float ExactSum(const float* weights, const float* x) const;
  float PairSum(const float* weights, const float* x) const;
  void BlockSums(const float* x, float* out) const;

  WeightType held_;
  bool pairs_;
  std::vector<float> values_;
  std::vector<Block> blocks_;  // [rows][ceil(cols / 32)], for block types
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_REFERENCE_REFERENCE_MATRIX_H_
