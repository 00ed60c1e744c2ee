// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_BF16_ROWS_H_
#define STATELIB_KERNELS_CUDA_BF16_ROWS_H_

#include <cstddef>
#include <cstdint>

namespace statelib::kernels::cuda {

/// bf16 activations in device memory: row t begins at data + t * stride.
struct BF16Rows {
  uint16_t* data;
  size_t stride;  ///< in elements
};
struct ConstBF16Rows {
  ConstBF16Rows(const uint16_t* d, size_t s) : data(d), stride(s) {}
  ConstBF16Rows(
      const BF16Rows& rows)  // NOLINT(google-explicit-constructor): a view that only reads
      : data(rows.data), stride(rows.stride) {}

  const uint16_t* data;
  size_t stride;
};

/// f32 values in device memory, as above.
struct F32Rows {
  const float* data;
  size_t stride;
};

/// The rows of a ragged batch that belong to one sequence, and where the part of its state lies
/// that an operation advances. Tables of these lie in device memory, so that a captured graph can
/// serve other slots by another table.
struct DeviceSequence {
  uint32_t first_row;
  uint32_t row_count;  ///< 0: nothing is done for it
  float* state;
};

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_BF16_ROWS_H_
