// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_TENSOR_MATRIX_H_
#define STATELIB_KERNELS_CUDA_TENSOR_MATRIX_H_

#include "kernels/cuda/device.h"

namespace statelib::kernels::cuda {

/// A tile of weights as the tensor cores read it from shared memory: 64 outputs, 128 bytes (64
/// inputs) each, in which the 16-byte pieces are swizzled: piece p of output o lies at p ^ o % 8.
inline constexpr size_t kTileOutputs = 64, kTileInputs = 64;
inline constexpr size_t kTileBytes = kTileOutputs * kTileInputs * 2;

/// bf16 weights in device memory for LaunchTensorProduct: [outputs / 64][inputs / 64] tiles. So
/// every copy to shared memory is one contiguous piece and the inputs of 64 outputs lie in a row.
/// Filled up with +0.
class TensorMatrix : public Matrix {
 public:
  /// weights: of type bf16. Waits for the device. Errors: std::bad_alloc, DeviceError.
  explicit TensorMatrix(const WeightView& weights);

  /// Tiles over the outputs, and over the inputs.
  size_t output_tiles() const { return (rows() + kTileOutputs - 1) / kTileOutputs; }
  size_t input_tiles() const { return (cols() + kTileInputs - 1) / kTileInputs; }
  const std::byte* data() const { return bytes_.get(); }

 private:
  DeviceBytes bytes_;
};

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_TENSOR_MATRIX_H_
