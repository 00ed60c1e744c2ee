// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <utility>

#include "core/base/error.h"
#include "statestore/storage/library_files.h"

namespace statelib::storage {

namespace {

using Clock = std::chrono::steady_clock;

void LockOrThrow(int descriptor, int operation, const std::filesystem::path& path,
                 std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  auto pause = std::chrono::milliseconds(1);
  while (::flock(descriptor, operation | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) ThrowErrno("cannot lock", path.string(), errno);
    if (Clock::now() >= deadline) {
      Throw(ErrorKind::kBusy,
            "{}: another process has held this lock for more than {} ms; wait for it to finish and "
            "run the command again",
            path.string(), patience.count());
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(50));
  }
}

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

FileLock FileLock::Acquire(const std::filesystem::path& path, Mode mode,
                           std::chrono::milliseconds patience) {
  FileLock lock(OpenOrMake(path));
  LockOrThrow(lock.descriptor_, mode == Mode::kShared ? LOCK_SH : LOCK_EX, path, patience);
  return lock;
}

FileLock FileLock::AcquireForReading(const std::filesystem::path& path,
                                     std::chrono::milliseconds patience) {
  // O_NONBLOCK: a named pipe in its place does not wait for a writer.
  FileLock lock(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (lock.descriptor_ >= 0) LockOrThrow(lock.descriptor_, LOCK_SH, path, patience);
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
