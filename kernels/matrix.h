// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_MATRIX_H_
#define STATELIB_KERNELS_MATRIX_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/weight_type.h"

namespace statelib::kernels {

/// Weights in host memory: row-major, dense, possibly unaligned. A row holds one output's weights
/// and, in a block type, fills whole blocks.
struct WeightView {
  const std::byte* data = nullptr;
  WeightType type = WeightType::kF32;
  size_t rows = 0;
  size_t cols = 0;
};

/// What packed bytes are: with Backend::packed_layout() all that it takes to use them again.
struct MatrixDescription {
  uint32_t kind = 0;  ///< the layout's own number; 0: these bytes cannot be used again
  uint64_t rows = 0;
  uint64_t cols = 0;

  bool operator==(const MatrixDescription&) const = default;
};

/// A weight matrix in a backend's own form; only the backend that made it can use it.
class Matrix {
 public:
  virtual ~Matrix() = default;
  size_t rows() const { return rows_; }  ///< outputs
  size_t cols() const { return cols_; }  ///< inputs: the length that a product sums over

  /// What packed() holds.
  virtual MatrixDescription description() const { return {0, rows_, cols_}; }
  /// The whole matrix as bytes without a pointer in them, aligned to 64, for a file from which
  /// Backend::Map takes them; they live as long as the matrix. Empty where description().kind is 0.
  virtual std::span<const std::byte> packed() const { return {}; }

 protected:
  Matrix(size_t rows, size_t cols) : rows_(rows), cols_(cols) {}

 private:
  size_t rows_;
  size_t cols_;
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_MATRIX_H_
