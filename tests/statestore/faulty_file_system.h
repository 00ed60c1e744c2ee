// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_FAULTY_FILE_SYSTEM_H_
#define STATELIB_TESTS_STATESTORE_FAULTY_FILE_SYSTEM_H_

#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/file_system.h"

namespace statelib {

/// The real file system, in which the n-th change (create, write, sync, close, rename, link,
/// remove, folder) fails as on a full disk; a failing write leaves half of its bytes. After the
/// failure either everything works again or, with `dead_afterwards`, nothing does any more, as
/// after a crash. One thread.
class FaultyFileSystem : public FileSystem {
 public:
  explicit FaultyFileSystem(int fail_at, bool dead_afterwards = false)
      : fail_at_(fail_at), dead_afterwards_(dead_afterwards) {}

  bool failed() const { return changes_ >= fail_at_; }

  Bytes ReadFile(const Path& path, uint64_t max_bytes) override {
    return Real().ReadFile(path, max_bytes);
  }
  std::unique_ptr<WritableFile> Create(const Path& path, Permissions permissions) override {
    Change("cannot create", path);
    return std::make_unique<FaultyFile>(*this, path, Real().Create(path, permissions));
  }
  std::unique_ptr<WritableFile> OpenStream(const Path& path) override {
    Change("cannot open", path);
    return std::make_unique<FaultyFile>(*this, path, Real().OpenStream(path));
  }
  std::unique_ptr<WritableFile> OpenEnd(const Path& path, uint64_t keep_bytes) override {
    Change("cannot open", path);
    return std::make_unique<FaultyFile>(*this, path, Real().OpenEnd(path, keep_bytes));
  }
  void Rename(const Path& from, const Path& to) override {
    Change("cannot rename", to);
    Real().Rename(from, to);
  }
  bool Link(const Path& file, const Path& name) override {
    Change("cannot link", name);
    return Real().Link(file, name);
  }
  void Remove(const Path& path) override {
    Change("cannot remove", path);
    Real().Remove(path);
  }
  void CreateDirectories(const Path& path, Permissions permissions) override {
    Change("cannot create the folder", path);
    Real().CreateDirectories(path, permissions);
  }
  void SyncDirectory(const Path& path) override {
    Change("cannot sync the folder", path);
    Real().SyncDirectory(path);
  }
  bool Exists(const Path& path) override { return Real().Exists(path); }
  uint64_t FileSize(const Path& path) override { return Real().FileSize(path); }
  std::vector<Path> List(const Path& directory) override { return Real().List(directory); }

 private:
  class FaultyFile : public WritableFile {
   public:
    FaultyFile(FaultyFileSystem& files, Path path, std::unique_ptr<WritableFile> real)
        : files_(files), path_(std::move(path)), real_(std::move(real)) {}
    void Append(ByteSpan bytes) override {
      if (files_.NextFails()) real_->Append(bytes.first(bytes.size() / 2));
      files_.Change("cannot write", path_);
      real_->Append(bytes);
    }
    void Sync() override {
      files_.Change("cannot sync", path_);
      real_->Sync();
    }
    void Close() override {
      files_.Change("cannot close", path_);
      real_->Close();
    }

   private:
    FaultyFileSystem& files_;
    Path path_;
    std::unique_ptr<WritableFile> real_;
  };

  bool NextFails() const { return changes_ + 1 == fail_at_; }

  void Change(const char* doing, const Path& path) {
    ++changes_;
    if (changes_ == fail_at_ || (dead_afterwards_ && changes_ > fail_at_))
      ThrowErrno(doing, path.string(), ENOSPC);
  }

  int fail_at_;
  bool dead_afterwards_;
  int changes_ = 0;
};

}  // namespace statelib

#endif  // STATELIB_TESTS_STATESTORE_FAULTY_FILE_SYSTEM_H_
