// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/finite.h"

namespace statelib::storage {

namespace {

/// Whether no element has an exponent of ones alone, which is what NaN and infinity have.
template <typename Bits>
bool HasNoneOf(ByteSpan raw, Bits exponent) {
  bool found = false;  // no early exit: the loop is a vector's
  for (size_t at = 0; at + sizeof(Bits) <= raw.size(); at += sizeof(Bits))
    found |= (LoadLittle<Bits>(raw.data() + at) & exponent) == exponent;
  return !found;
}

}  // namespace

bool IsFinite(const SegmentSpec& spec, ByteSpan raw) {
  switch (spec.dtype) {
    case DType::kF32:
      return HasNoneOf<uint32_t>(raw, 0x7f800000);
    case DType::kBF16:
      return HasNoneOf<uint16_t>(raw, 0x7f80);
    case DType::kF16:
      return HasNoneOf<uint16_t>(raw, 0x7c00);
    case DType::kI32:
      break;
  }
  return true;
}

}  // namespace statelib::storage
