// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_FILE_LOCK_H_
#define STATELIB_STATESTORE_STORAGE_FILE_LOCK_H_

#include <filesystem>
#include <optional>

#include "core/base/waiting.h"

namespace statelib::storage {

/// A lock between processes (flock) on a file that holds nothing. Released by destruction, and by
/// the system when the process dies. Move-only. Locks of one process do not exclude each other any
/// less than those of several.
class FileLock {
 public:
  enum class Mode { kShared, kExclusive };

  /// Waits for the lock and makes its file if there is none. Errors: those of Wait; kIo.
  static FileLock Acquire(const std::filesystem::path& path, Mode mode, const Waits& waits);
  /// The lock if nobody holds it at this moment.
  static std::optional<FileLock> TryAcquire(const std::filesystem::path& path, Mode mode);
  /// A shared lock where the file can be opened, else nothing: on a read-only medium nobody writes.
  static FileLock AcquireForReading(const std::filesystem::path& path, const Waits& waits);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_ = -1;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_FILE_LOCK_H_
