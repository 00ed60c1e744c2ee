// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_BYTES_H_
#define STATELIB_CORE_BASE_BYTES_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace statelib {

// Files are little-endian and are read by copying; a big-endian port would swap in LoadLittle and
// StoreLittle.
static_assert(std::endian::native == std::endian::little,
              "statelib's file readers assume a little-endian machine");

using Bytes = std::vector<std::byte>;
using ByteSpan = std::span<const std::byte>;

inline ByteSpan AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string_view AsText(ByteSpan bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Reads a T from unaligned little-endian bytes. The caller has checked that sizeof(T) bytes are
/// there.
template <typename T>
T LoadLittle(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

/// Writes a T as unaligned little-endian bytes.
template <typename T>
void StoreLittle(T value, std::byte* to) {
  std::memcpy(to, &value, sizeof(T));
}

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_BYTES_H_
