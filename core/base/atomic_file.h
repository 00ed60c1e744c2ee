// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_ATOMIC_FILE_H_
#define STATELIB_CORE_BASE_ATOMIC_FILE_H_

#include <filesystem>
#include <memory>

#include "core/base/file_system.h"
#include "core/base/output_place.h"

namespace statelib {

/// A file that readers see whole or not at all: it is written under a temporary name beside its
/// own, and Commit() syncs it, renames it and syncs the folder. One that is destroyed before that
/// is removed. Links are followed and stay; what is no regular file, or standard output as "-", is
/// written as the bytes come (output_place.h). Errors: those of FindOutputPlace and FileSystem. One
/// thread.
class AtomicFile {
 public:
  /// permissions: of the file; what is written through keeps its own.
  AtomicFile(FileSystem& files, const std::filesystem::path& path, Permissions permissions = {});
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void Append(ByteSpan bytes) { file_->Append(bytes); }
  /// Puts the file in the place of what was there. Call once, last.
  void Commit();

 private:
  FileSystem& files_;
  OutputPlace place_;
  std::filesystem::path temporary_;
  std::unique_ptr<WritableFile> file_;
  bool committed_ = false;
};

/// Writes a file so that readers see the old one or the whole new one, never a part.
void WriteFileAtomically(FileSystem& files, const std::filesystem::path& path, ByteSpan bytes,
                         Permissions permissions = {});

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_ATOMIC_FILE_H_
