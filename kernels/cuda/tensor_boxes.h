// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_TENSOR_BOXES_H_
#define STATELIB_KERNELS_CUDA_TENSOR_BOXES_H_

#include <cuda.h>

#include "kernels/cuda/tensor_product.h"

/// What tells the copy engine of a product's operands. Errors: DeviceError, also where the
/// driver is too old.
namespace statelib::kernels::cuda {

/// x as a matrix of (input, row): boxes of kTileInputs by `rows`, swizzled as the tensor cores read
/// them, +0 outside x.
CUtensorMap BoxesOf(const TensorInput& x, unsigned rows);

/// Weights as a tensor of (input in tile, output in tile, tile of inputs, tile of outputs): boxes
/// of one tile of inputs, `outputs` of each of `tiles` tiles of outputs, as they lie in memory.
CUtensorMap BoxesOf(const TensorMatrix& weights, unsigned outputs, unsigned tiles);

/// Plain rows of f32 or bf16, each on a multiple of 16 bytes.
struct RowsToCopy {
  const void* data;
  bool is_bf16;
  size_t rows, columns;
  size_t stride;  // in elements
};
/// Boxes of those, not swizzled; a box's row is a multiple of 16 bytes.
CUtensorMap BoxesOf(const RowsToCopy& rows, unsigned box_rows, unsigned box_columns);

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_TENSOR_BOXES_H_
