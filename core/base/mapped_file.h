// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_MAPPED_FILE_H_
#define STATELIB_CORE_BASE_MAPPED_FILE_H_

#include <filesystem>

#include "core/base/bytes.h"

namespace statelib {

/// A whole file mapped read-only into memory. Move-only. Thread-compatible.
/// The file must not shrink while it is mapped: reading past its new end raises SIGBUS. Writers
/// that replace a file by renaming, as every careful one does, are safe.
class MappedFile {
 public:
  /// Errors: kNotFound, kIo; kInvalidArgument when the path is not a regular file.
  static MappedFile Open(const std::filesystem::path& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  ByteSpan bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

  /// Says that `part` will not be read again soon: its pages leave this process's memory and come
  /// back from the file when they are read after all. Nothing where `part` lies elsewhere.
  void Forget(ByteSpan part) const;

  /// Says that the whole file will be read over and over: what of it is not in the system's cache
  /// yet is read into huge pages where the file system can, for streaming through small ones misses
  /// the translation cache all the time. Advice; nothing else changes.
  void PreferHugePages() const;

 private:
  MappedFile(std::filesystem::path path, const std::byte* data, size_t size);

  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// Lets go of what the system's cache has of a file that is durable, so that the next one who maps
/// it reads it as PreferHugePages asks and not as it was written. Advice.
void ForgetCached(const std::filesystem::path& path);

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_MAPPED_FILE_H_
