// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_QUANTIZE_H_
#define STATELIB_KERNELS_QUANTIZE_H_

#include <span>

#include "kernels/weight_type.h"

namespace statelib::kernels {

/// Blocks of one row, the last one filled up with zeros.
constexpr size_t QuantizedRowBytes(WeightType type, size_t cols) {
  const WeightTypeInfo info = InfoOf(type);
  return (cols + info.block_elements - 1) / info.block_elements * info.block_bytes;
}

/// Quantises a row of weights into kQ8_0 or kQ4_K blocks, byte by byte as GGUF stores them.
///   kQ8_0: d = max |x| / 127, rounded to a half; codes to nearest, ties to even.
///   kQ4_K: scale and minimum of every 32 weights by least squares over a search of ranges, then
///   both 6-bit numbers and the block's d and dmin corrected together; errors weigh |x| + rms(x).
/// A weight that is not finite makes its whole block NaN. The bits depend on the row alone.
/// blocks: QuantizedRowBytes(type, row.size()).
/// Source of the search: ggml's make_qkx2_quants.
void QuantizeRow(WeightType type, std::span<const float> row, std::byte* blocks);

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_QUANTIZE_H_
