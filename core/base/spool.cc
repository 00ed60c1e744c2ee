// SPDX-License-Identifier: Apache-2.0
#include "core/base/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "core/base/copy_bytes.h"
#include "core/base/error.h"

namespace statelib {

namespace {

std::string TemporaryFolder() {
  const char* chosen = std::getenv("TMPDIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/tmp";
}

[[noreturn]] void ThrowTemporary(const char* doing, int errno_value) {
  Throw(ErrorKind::kIo,
        "{} a temporary file in {}: {}; set TMPDIR to a folder with more room and run the command "
        "again, nothing was changed",
        doing, TemporaryFolder(), std::strerror(errno_value));
}

/// A file that has no name, so that it goes with the process.
int NamelessFile() {
  const std::string folder = TemporaryFolder();
  int file = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
  if (file >= 0) return file;
  std::string path = folder + "/statelib-XXXXXX";  // a file system that has only named ones
  file = ::mkostemp(path.data(), O_CLOEXEC);
  if (file < 0) ThrowTemporary("making", errno);
  ::unlink(path.c_str());
  return file;
}

}  // namespace

ByteSpool::~ByteSpool() {
  if (file_ >= 0) ::close(file_);
}

void ByteSpool::Append(ByteSpan bytes) {
  while (!bytes.empty()) {
    if (held_.size() == kMemoryBytesMax) Store();
    const size_t count = std::min<size_t>(bytes.size(), kMemoryBytesMax - held_.size());
    held_.insert(held_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    bytes = bytes.subspan(count);
  }
}

void ByteSpool::Store() {
  if (file_ < 0) file_ = NamelessFile();
  for (ByteSpan rest = held_; !rest.empty();) {
    const ssize_t size = ::pwrite(file_, rest.data(), rest.size(),
                                  static_cast<off_t>(stored_ + held_.size() - rest.size()));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) ThrowTemporary("writing", errno);
    rest = rest.subspan(static_cast<size_t>(size));
  }
  stored_ += held_.size();
  held_.clear();
}

void ByteSpool::Read(uint64_t from, std::span<std::byte> out) const {
  while (!out.empty() && from < stored_) {
    const size_t wanted = std::min<uint64_t>(out.size(), stored_ - from);
    const ssize_t size = ::pread(file_, out.data(), wanted, static_cast<off_t>(from));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) ThrowTemporary("reading", size < 0 ? errno : EIO);
    from += static_cast<uint64_t>(size);
    out = out.subspan(static_cast<size_t>(size));
  }
  if (!out.empty()) CopyBytes(ByteSpan(held_).subspan(from - stored_), out);
}

Digest HashOfText(const RunOf<char>& text) {
  Hasher hasher;
  text.ForEach([&](std::span<const char> piece) { hasher.Update(std::as_bytes(piece)); });
  return hasher.Finish();
}

}  // namespace statelib
