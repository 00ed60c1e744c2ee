// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_FLOAT_DIFFERENCE_H_
#define STATELIB_STATESTORE_STORAGE_FLOAT_DIFFERENCE_H_

#include <span>

#include "core/base/bytes.h"

// The difference of two f32 arrays that loses nothing: for each element how many f32 values lie
// between the two in the order of all of them, as a sign and a magnitude of 32 bits. What is close
// differs by little, across powers of two as well, so that the upper byte planes are mostly zero.
//
// With fold(x) = x ^ ((x >> 31) & 0x7fffffff), the shift of a signed number, which takes a sign and
// a magnitude to a number of two's complement in the same order and back:
//   difference = fold(fold(value) - fold(base)), value = fold(fold(base) + fold(difference))
// modulo 2^32, over the bits of any f32, NaN included.
namespace statelib::storage {

/// Replaces f32 values by their differences to `base`, which has as many. Little-endian bytes. No
/// allocation; vectorised by the compiler.
void TakeDifference(ByteSpan base, std::span<std::byte> values);

/// The inverse: replaces differences to `base` by the values.
void AddDifference(ByteSpan base, std::span<std::byte> differences);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_FLOAT_DIFFERENCE_H_
