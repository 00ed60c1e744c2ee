// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_COPY_BYTES_H_
#define STATELIB_CORE_BASE_COPY_BYTES_H_

#include <cstring>
#include <span>
#include <vector>

#include "core/base/bytes.h"

namespace statelib {

/// Copies as many bytes as `to` has; there may be none, which memcpy allows only of real addresses.
inline void CopyBytes(ByteSpan from, std::span<std::byte> to) {
  if (!to.empty()) std::memcpy(to.data(), from.data(), to.size());
}

/// The values whose bytes these are, which need no alignment.
template <typename T>
std::vector<T> ValuesOf(ByteSpan bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  CopyBytes(bytes, std::as_writable_bytes(std::span(values)));
  return values;
}

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_COPY_BYTES_H_
