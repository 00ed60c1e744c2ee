// SPDX-License-Identifier: Apache-2.0
#include "core/base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <utility>

#include "core/base/byte_source.h"
#include "core/base/error.h"

namespace statelib {

MappedFile::MappedFile(std::filesystem::path path, const std::byte* data, size_t size)
    : path_(std::move(path)), data_(data), size_(size) {}

MappedFile MappedFile::Open(const std::filesystem::path& path) {
  const FileSource file = FileSource::Open(path);
  const auto size = static_cast<size_t>(file.size());
  // mmap refuses a length of zero; an empty file is an empty span.
  void* address =
      size == 0 ? nullptr : ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
  if (address == MAP_FAILED) ThrowErrno("cannot map", path.string(), errno);
  return MappedFile(path, static_cast<const std::byte*>(address), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::Forget(ByteSpan part) const {
  const std::byte* const first = part.data();
  const std::byte* const last = first + part.size();
  if (part.empty() || std::less<>()(first, data_) || std::less<>()(data_ + size_, last)) return;
  // Only whole pages: the neighbours in the first and the last one may still be in use.
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t begin = (static_cast<size_t>(first - data_) + page - 1) / page * page;
  const size_t end = static_cast<size_t>(last - data_) / page * page;
  if (begin >= end) return;
  // Advice: a system that does not take it only keeps the pages.
  ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_DONTNEED);
}

void MappedFile::PreferHugePages() const {
  if (data_ != nullptr) ::madvise(const_cast<std::byte*>(data_), size_, MADV_HUGEPAGE);
}

void ForgetCached(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return;
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd);
}

}  // namespace statelib
