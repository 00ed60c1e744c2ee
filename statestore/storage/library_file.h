// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_LIBRARY_FILE_H_
#define STATELIB_STATESTORE_STORAGE_LIBRARY_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/digest.h"

namespace statelib::storage {

/// 32 random bytes that tell a library from every other one: in library.toml, in its index and in
/// each of its records.
using LibraryIdentity = Digest;

LibraryIdentity RandomIdentity();

inline constexpr int64_t kLibraryFormat = 1;
inline constexpr uint64_t kLibraryFileBytesMax = 4 << 10;

/// What library.toml says.
struct LibraryFile {
  LibraryIdentity identity;

  bool operator==(const LibraryFile&) const = default;
};

std::string TextOf(const LibraryFile& file);
/// Errors: kCorrupt for what is no such file; kUnsupported for another format. `location` names the
/// file.
LibraryFile ParseLibraryFile(std::string_view text, const std::string& location);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_LIBRARY_FILE_H_
