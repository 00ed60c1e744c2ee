// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_FORWARDING_FILE_SYSTEM_H_
#define STATELIB_TESTS_STATESTORE_FORWARDING_FILE_SYSTEM_H_

#include <memory>
#include <vector>

#include "core/base/file_system.h"

namespace statelib {

/// The real file system, for tests that change one thing about it.
class ForwardingFileSystem : public FileSystem {
 public:
  Bytes ReadFile(const Path& path, uint64_t max_bytes) override {
    return Real().ReadFile(path, max_bytes);
  }
  std::unique_ptr<WritableFile> Create(const Path& path, Permissions permissions) override {
    return Real().Create(path, permissions);
  }
  std::unique_ptr<WritableFile> OpenStream(const Path& path) override {
    return Real().OpenStream(path);
  }
  std::unique_ptr<WritableFile> OpenEnd(const Path& path, uint64_t keep_bytes) override {
    return Real().OpenEnd(path, keep_bytes);
  }
  void Rename(const Path& from, const Path& to) override { Real().Rename(from, to); }
  bool Link(const Path& file, const Path& name) override { return Real().Link(file, name); }
  void Remove(const Path& path) override { Real().Remove(path); }
  void CreateDirectories(const Path& path, Permissions permissions) override {
    Real().CreateDirectories(path, permissions);
  }
  void SyncDirectory(const Path& path) override { Real().SyncDirectory(path); }
  bool Exists(const Path& path) override { return Real().Exists(path); }
  uint64_t FileSize(const Path& path) override { return Real().FileSize(path); }
  std::vector<Path> List(const Path& directory) override { return Real().List(directory); }
};

}  // namespace statelib

#endif  // STATELIB_TESTS_STATESTORE_FORWARDING_FILE_SYSTEM_H_
