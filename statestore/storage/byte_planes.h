// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_BYTE_PLANES_H_
#define STATELIB_STATESTORE_STORAGE_BYTE_PLANES_H_

#include <span>

#include "core/base/bytes.h"

// Floats compress badly as they lie, for their predictable bits (sign, exponent) stand among
// mantissa bits that are noise. Here every element is rotated left by one bit, which gives an f32
// or bf16 exponent a byte of its own, and the n-th bytes of all elements are put side by side.
namespace statelib::storage {

/// planes[b * n + i] = byte b of (element i rotated left by one bit), n elements of element_bytes
/// (2 or 4) little-endian bytes. `planes` has the size of `elements`, a multiple of element_bytes.
/// No allocation; vectorised by the compiler.
void SplitIntoPlanes(ByteSpan elements, size_t element_bytes, std::span<std::byte> planes);

/// The inverse of SplitIntoPlanes.
void JoinPlanes(ByteSpan planes, size_t element_bytes, std::span<std::byte> elements);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_BYTE_PLANES_H_
