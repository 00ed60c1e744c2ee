// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_DEVICE_MATRIX_H_
#define STATELIB_KERNELS_CUDA_DEVICE_MATRIX_H_

#include "kernels/cuda/device.h"

namespace statelib::kernels::cuda {

/// Outputs side by side in a panel: the lanes of a warp.
inline constexpr size_t kPanelOutputs = 32;
/// Inputs are filled up to a multiple of this, so that no kernel has a tail.
inline constexpr size_t kInputsPadding = 32;

/// Consecutive inputs of one output in 16 bytes: the unit of every load of weights.
constexpr size_t VectorInputs(WeightType type) { return 16 / InfoOf(type).block_bytes; }

/// Weights in device memory as [panel][input / v][output in panel][v inputs = 16 bytes]: a warp's
/// 16-byte loads are 512 contiguous bytes, and a stretch of inputs of a panel is one contiguous
/// piece. All types stay as stored. Filled up with -0: with an input of +0 the step
/// fma(-0, +0, sum) leaves any sum as it is, to the bit, which +0 weights would not (-0 + +0 = +0).
class DeviceMatrix : public Matrix {
 public:
  /// Errors: std::bad_alloc, DeviceError.
  explicit DeviceMatrix(const WeightView& weights);

  WeightType type() const { return type_; }
  size_t panels() const { return (rows() + kPanelOutputs - 1) / kPanelOutputs; }
  /// 16-byte vectors of one output.
  size_t vectors() const { return PaddedInputs() / VectorInputs(type_); }
  const std::byte* data() const { return bytes_.get(); }

 private:
  size_t PaddedInputs() const {
    return (cols() + kInputsPadding - 1) / kInputsPadding * kInputsPadding;
  }

  WeightType type_;
  DeviceBytes bytes_;
};

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_DEVICE_MATRIX_H_
