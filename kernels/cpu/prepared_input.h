// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CPU_PREPARED_INPUT_H_
#define STATELIB_KERNELS_CPU_PREPARED_INPUT_H_

#include "kernels/cpu/packed_matrix.h"
#include "kernels/exact/quantized_input.h"

namespace statelib::kernels {

static_assert(kBlockInputs == exact::kInputBlock);

/// Rows that share one pass over the weights; a multiple of every tile's rows keeps full tiles.
inline constexpr size_t kRowsMax = 192;

/// Rows quantised by blocks of 32 inputs.
struct QuantizedRows {
  size_t blocks;           ///< of a row
  int8_t* codes;           ///< [rows][blocks][32]
  float* scales;           ///< [rows][blocks]
  float* minimum_factors;  ///< [rows][blocks]: -(scale * sum of the codes)
  int32_t* starts;         ///< [rows][blocks][32 / sub_elements]: -offset * sum of the codes

  static constexpr size_t kBytesPerBlock = kBlockInputs + 4 * 4;
  /// Arrays in `bytes`, aligned to 64, of at least rows * blocks * kBytesPerBlock.
  QuantizedRows(size_t rows, size_t cols, std::byte* bytes)
      : blocks((cols + kBlockInputs - 1) / kBlockInputs),
        codes(reinterpret_cast<int8_t*>(bytes)),
        scales(reinterpret_cast<float*>(codes + rows * blocks * kBlockInputs)),
        minimum_factors(scales + rows * blocks),
        starts(reinterpret_cast<int32_t*>(minimum_factors + rows * blocks)) {}
};

/// Bytes, aligned to 64, of so many rows prepared for a product; 0 where x is taken as it is.
inline size_t PreparedBytes(const PackedMatrix& matrix, size_t rows) {
  switch (matrix.kind()) {
    case PackedKind::kF32:
    case PackedKind::kBF16:
      return 0;
    case PackedKind::kBF16Pairs:
      return rows * ((matrix.cols() + 1) / 2) * 4;
    default:
      return rows * ((matrix.cols() + kBlockInputs - 1) / kBlockInputs) *
             QuantizedRows::kBytesPerBlock;
  }
}

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_CPU_PREPARED_INPUT_H_
