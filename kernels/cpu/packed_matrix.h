// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CPU_PACKED_MATRIX_H_
#define STATELIB_KERNELS_CPU_PACKED_MATRIX_H_

#include "kernels/aligned.h"
#include "kernels/backend.h"
#include "kernels/cpu/thread_pool.h"

namespace statelib::kernels {

/// Outputs side by side in a panel: the lanes of the vectors of a matrix product.
inline constexpr size_t kPanelWidth = 16;

/// Weights as panels of 16 outputs, [panel][input][output in panel], so that a product streams
/// through memory and every output sums over its inputs in plain order. The last panel is filled up
/// with zeros. bf16 stays bf16; f16 becomes f32, which holds it exactly.
class PackedMatrix : public Matrix {
 public:
  /// Errors: std::bad_alloc.
  PackedMatrix(const WeightView& weights, ThreadPool& threads);

  size_t panels() const { return (rows() + kPanelWidth - 1) / kPanelWidth; }
  bool is_bf16() const { return is_bf16_; }
  /// The first element of a panel. T: float, or uint16_t for bf16.
  template <typename T>
  const T* panel(size_t index) const {
    return reinterpret_cast<const T*>(bytes_.get()) + index * cols() * kPanelWidth;
  }

 private:
  void PackOne(const WeightView& weights, size_t index);

  bool is_bf16_;
  AlignedBytes bytes_;
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_CPU_PACKED_MATRIX_H_
