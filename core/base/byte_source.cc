// SPDX-License-Identifier: Apache-2.0
#include "core/base/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/error.h"

namespace statelib {

namespace {

constexpr uint64_t kBlockBytes = uint64_t{1} << 20;

}  // namespace

ByteSpan ByteSource::View(uint64_t from, uint64_t count, Bytes* buffer) const {
  buffer->resize(count);
  Read(from, *buffer);
  return *buffer;
}

void ByteSource::ForEachBlock(const std::function<void(ByteSpan block)>& visit) const {
  Bytes buffer;
  for (uint64_t done = 0; done < size();) {
    const ByteSpan block = View(done, std::min(kBlockBytes, size() - done), &buffer);
    done += block.size();
    visit(block);
  }
}

std::unique_ptr<MemorySource> MemorySource::Keep(Bytes bytes) {
  auto source = std::make_unique<MemorySource>(ByteSpan());
  source->kept_ = std::move(bytes);
  source->bytes_ = source->kept_;
  return source;
}

void MemorySource::Read(uint64_t from, std::span<std::byte> out) const {
  const ByteSpan part = bytes_.subspan(from, out.size());
  std::copy(part.begin(), part.end(), out.begin());
}

ByteSpan MemorySource::View(uint64_t from, uint64_t count, Bytes* /*buffer*/) const {
  return bytes_.subspan(from, count);
}

FileSource FileSource::Open(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a named pipe returns at once, to be refused below, and does not wait for a
  // writer.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) ThrowErrno("cannot open", path.string(), errno);
  FileSource source(path.string(), file);
  struct stat info {};
  if (::fstat(file, &info) != 0) ThrowErrno("cannot stat", path.string(), errno);
  if (!S_ISREG(info.st_mode)) {
    Throw(ErrorKind::kInvalidArgument, "{}: expected a regular file, found {}", path.string(),
          S_ISDIR(info.st_mode) ? "a folder" : "a device, pipe or socket");
  }
  source.size_ = static_cast<uint64_t>(info.st_size);
  return source;
}

FileSource::FileSource(FileSource&& other) noexcept
    : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)), size_(other.size_) {}

FileSource::~FileSource() {
  if (file_ >= 0) ::close(file_);
}

void FileSource::Read(uint64_t from, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got = ::pread(file_, out.data(), out.size(), static_cast<off_t>(from));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) ThrowErrno("cannot read", path_, errno);
    if (got == 0) {
      Throw(ErrorKind::kIo, "{}: expected {} bytes, found {}: the file has changed; try again",
            path_, size_, from);
    }
    from += static_cast<uint64_t>(got);
    out = out.subspan(static_cast<size_t>(got));
  }
}

void HeadedSource::Read(uint64_t from, std::span<std::byte> out) const {
  if (from < head_.size()) {
    const size_t count = std::min<uint64_t>(out.size(), head_.size() - from);
    std::copy_n(head_.begin() + static_cast<std::ptrdiff_t>(from), count, out.begin());
    from += count;
    out = out.subspan(count);
  }
  if (!out.empty()) rest_->Read(from_ + from - head_.size(), out);
}

Digest HashOf(const ByteSource& source) {
  Hasher hasher;
  source.ForEachBlock([&](ByteSpan block) { hasher.Update(block); });
  return hasher.Finish();
}

}  // namespace statelib
