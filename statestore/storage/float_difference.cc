// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/float_difference.h"

namespace statelib::storage {

namespace {

uint32_t Fold(uint32_t bits) { return bits ^ ((0 - (bits >> 31)) & 0x7fffffffu); }

}  // namespace

void TakeDifference(ByteSpan base, std::span<std::byte> values) {
  for (size_t at = 0; at + 4 <= values.size(); at += 4) {
    const uint32_t value = Fold(LoadLittle<uint32_t>(values.data() + at));
    StoreLittle(Fold(value - Fold(LoadLittle<uint32_t>(base.data() + at))), values.data() + at);
  }
}

void AddDifference(ByteSpan base, std::span<std::byte> differences) {
  for (size_t at = 0; at + 4 <= differences.size(); at += 4) {
    const uint32_t difference = Fold(LoadLittle<uint32_t>(differences.data() + at));
    StoreLittle(Fold(Fold(LoadLittle<uint32_t>(base.data() + at)) + difference),
                differences.data() + at);
  }
}

}  // namespace statelib::storage
