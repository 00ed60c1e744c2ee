// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/error.h"
#include "statestore/storage/library_files.h"

namespace statelib::storage {

namespace {

/// Whether the lock is had; it is not waited for.
bool TryLock(int descriptor, int operation, const std::filesystem::path& path) {
  while (::flock(descriptor, operation | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) ThrowErrno("cannot lock", path.string(), errno);
  }
  return true;
}

void Lock(int descriptor, int operation, const std::filesystem::path& path, const Waits& waits) {
  if (TryLock(descriptor, operation, path)) return;
  Wait wait(waits, kLockTimeout, "another process that holds " + path.string());
  for (auto pause = std::chrono::milliseconds(1); !TryLock(descriptor, operation, path);
       pause = std::min(pause * 2, std::chrono::milliseconds(50)))
    wait.Sleep(pause);
}

int OperationOf(FileLock::Mode mode) { return mode == FileLock::Mode::kShared ? LOCK_SH : LOCK_EX; }

/// The file of a lock, which those may use who may use its folder.
int OpenOrMake(const std::filesystem::path& path) {
  int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file >= 0 || errno != ENOENT) {
    if (file < 0) ThrowErrno("cannot open", path.string(), errno);
    return file;
  }
  const Permissions wanted = PermissionsIn(path.parent_path()).file;
  file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, wanted.value_or(0666));
  if (file < 0) ThrowErrno("cannot open", path.string(), errno);
  // What the umask may have taken; where another process was faster, it has seen to that.
  if (wanted) (void)::fchmod(file, *wanted);
  return file;
}

}  // namespace

FileLock FileLock::Acquire(const std::filesystem::path& path, Mode mode, const Waits& waits) {
  FileLock lock(OpenOrMake(path));
  Lock(lock.descriptor_, OperationOf(mode), path, waits);
  return lock;
}

std::optional<FileLock> FileLock::TryAcquire(const std::filesystem::path& path, Mode mode) {
  FileLock lock(OpenOrMake(path));
  if (!TryLock(lock.descriptor_, OperationOf(mode), path)) return std::nullopt;
  return lock;
}

FileLock FileLock::AcquireForReading(const std::filesystem::path& path, const Waits& waits) {
  // O_NONBLOCK: a named pipe in its place does not wait for a writer.
  FileLock lock(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (lock.descriptor_ >= 0) Lock(lock.descriptor_, LOCK_SH, path, waits);
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace statelib::storage
