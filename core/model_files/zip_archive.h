// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_ZIP_ARCHIVE_H_
#define STATELIB_CORE_MODEL_FILES_ZIP_ARCHIVE_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"

namespace statelib::model_files {

/// A file inside a zip archive, its bytes as they lie in the archive.
struct ZipEntry {
  std::string name;
  ByteSpan bytes;
};

/// The entries of a zip archive that compresses nothing, which is what torch.save writes; ZIP64
/// too. Sorted by name. `archive` must outlive them; `path` is for messages.
/// The central directory must end where the records behind it begin, agree with every local header
/// and describe entries that do not overlap, so that no two readers can see different files in it.
/// Checksums are not verified: that would read every byte.
/// Errors: kCorrupt; kUnsupported for a compressed, encrypted or split archive.
std::vector<ZipEntry> ReadStoredZip(ByteSpan archive, const std::string& path);

/// The entry of this name, or nullptr; `entries` as ReadStoredZip gives them.
const ZipEntry* FindEntry(const std::vector<ZipEntry>& entries, std::string_view name);

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_ZIP_ARCHIVE_H_
