// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_CHECKPOINT_DEQUANTIZE_H_
#define STATELIB_CORE_CHECKPOINT_DEQUANTIZE_H_

#include <span>

#include "core/base/bytes.h"
#include "core/checkpoint/element_type.h"

namespace statelib::checkpoint {

/// Decodes whole blocks of Q4_0, Q8_0, Q4_K, Q5_K or Q6_K into f32, with the operations and the
/// order of operations of ggml's own decoder, so that the bits are its bits.
///   Q8_0: x = q d          Q4_0: x = (q - 8) d        Q6_K: x = (d s) (q - 32)
///   Q4_K, Q5_K: x = (d s) q - (dmin m), with 6-bit s and m for every 32 values
/// Shapes: blocks [n / block_elements] of block_bits / 8 bytes, unaligned; values [n].
/// Errors: none; the sizes must agree and the type must be a block type.
/// Source: ggml's block structures and dequantize_row functions.
void Dequantize(ElementType type, ByteSpan blocks, std::span<float> values);

}  // namespace statelib::checkpoint

#endif  // STATELIB_CORE_CHECKPOINT_DEQUANTIZE_H_
