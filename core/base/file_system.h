// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_FILE_SYSTEM_H_
#define STATELIB_CORE_BASE_FILE_SYSTEM_H_

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/bytes.h"

namespace statelib {

/// The permission bits of what is made: exactly these, or without a value those that the umask
/// leaves of 0666 for a file and 0777 for a folder.
using Permissions = std::optional<mode_t>;

/// A file that is being written. Destroying it without Close() leaves what was written.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual void Append(ByteSpan bytes) = 0;
  virtual void Sync() = 0;   ///< returns once the bytes would survive a power cut
  virtual void Close() = 0;  ///< reports what the operating system only says at the end
};

/// Every write of the library goes through this interface, so that tests can make the n-th one
/// fail. Every method throws kIo (kNotFound where a path does not exist) with the path and the
/// system's reason. Thread-safe.
class FileSystem {
 public:
  using Path = std::filesystem::path;

  virtual ~FileSystem() = default;

  /// The whole file. Errors: kCorrupt when it holds more than max_bytes.
  virtual Bytes ReadFile(const Path& path, uint64_t max_bytes) = 0;
  /// Creates a file that must not exist yet.
  virtual std::unique_ptr<WritableFile> Create(const Path& path, Permissions permissions = {}) = 0;
  /// Opens a file to write behind its first `keep_bytes` bytes, of which it has as many at least;
  /// what stood there goes. Makes the file if there is none and keep_bytes is 0.
  virtual std::unique_ptr<WritableFile> OpenEnd(const Path& path, uint64_t keep_bytes) = 0;
  /// Opens what is no regular file, as a device or a FIFO, to be written through; "-" is standard
  /// output. A FIFO waits for its reader. Sync() is only what the thing can do.
  virtual std::unique_ptr<WritableFile> OpenStream(const Path& path) = 0;
  /// Atomically puts `from` in the place of `to`, which may exist.
  virtual void Rename(const Path& from, const Path& to) = 0;
  /// Atomically gives a file a second name (a hard link), which replaces nothing: false when the
  /// name is taken. Errors: also kUnsupported where the file system knows no second names.
  virtual bool Link(const Path& file, const Path& name) = 0;
  virtual void Remove(const Path& path) = 0;
  /// Makes the folder and those above it; one that exists is fine, and keeps its permissions.
  virtual void CreateDirectories(const Path& path, Permissions permissions = {}) = 0;
  /// Makes the names in a folder durable.
  virtual void SyncDirectory(const Path& path) = 0;
  virtual bool Exists(const Path& path) = 0;
  virtual uint64_t FileSize(const Path& path) = 0;
  /// The names in a folder, sorted; empty when the folder does not exist.
  virtual std::vector<Path> List(const Path& directory) = 0;

  /// The machine's own file system.
  static FileSystem& Real();
};

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_FILE_SYSTEM_H_
