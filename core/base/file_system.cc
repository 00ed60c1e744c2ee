// SPDX-License-Identifier: Apache-2.0
#include "core/base/file_system.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "core/base/error.h"

namespace statelib {

namespace {

namespace fs = std::filesystem;

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Descriptor OpenOrThrow(const fs::path& path, int flags, mode_t mode = 0666) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0 && errno == EINTR)
    Throw(ErrorKind::kCancelled, "stopped while waiting for {}", path.string());
  if (fd < 0)
    ThrowErrno((flags & O_CREAT) != 0 ? "cannot create" : "cannot open", path.string(), errno);
  return Descriptor(fd);
}

class RealWritableFile : public WritableFile {
 public:
  enum class Kind { kFile, kStream };

  RealWritableFile(fs::path path, Descriptor&& file, Kind kind = Kind::kFile)
      : path_(std::move(path)), file_(file.Release()), kind_(kind) {}

  void Append(ByteSpan bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
      if (written < 0) {
        if (errno == EINTR) continue;
        ThrowErrno("cannot write", path_.string(), errno);
      }
      bytes = bytes.subspan(static_cast<size_t>(written));
    }
  }

  void Sync() override {
    // A pipe or a terminal has nothing to sync, and says so in one of three ways.
    if (::fsync(file_.get()) == 0 || (kind_ == Kind::kStream && CannotSync(errno))) return;
    ThrowErrno("cannot sync", path_.string(), errno);
  }

  void Close() override {
    if (::close(file_.Release()) != 0) ThrowErrno("cannot close", path_.string(), errno);
  }

 private:
  static bool CannotSync(int reason) {
    return reason == EINVAL || reason == ENOTSUP || reason == EROFS;
  }

  fs::path path_;
  Descriptor file_;
  Kind kind_;
};

class RealFileSystem : public FileSystem {
 public:
  Bytes ReadFile(const Path& path, uint64_t max_bytes) override {
    // O_NONBLOCK: opening a named pipe returns at once, to be refused, and waits for no writer.
    const Descriptor file = OpenOrThrow(path, O_RDONLY | O_NONBLOCK);
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) ThrowErrno("cannot stat", path.string(), errno);
    if (S_ISDIR(info.st_mode)) ThrowErrno("cannot read", path.string(), EISDIR);
    if (!S_ISREG(info.st_mode)) {
      Throw(ErrorKind::kInvalidArgument, "{}: expected a file, found a device, pipe or socket",
            path.string());
    }
    if (static_cast<uint64_t>(info.st_size) > max_bytes) {
      Throw(ErrorKind::kCorrupt, "{}: expected at most {} bytes, found {}", path.string(),
            max_bytes, info.st_size);
    }
    Bytes bytes(static_cast<size_t>(info.st_size));
    size_t filled = 0;
    while (filled < bytes.size()) {
      const ssize_t got = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) ThrowErrno("cannot read", path.string(), errno);
      if (got == 0) break;  // it became shorter while it was read: the caller's checks decide
      filled += static_cast<size_t>(got);
    }
    bytes.resize(filled);
    return bytes;
  }

  std::unique_ptr<WritableFile> Create(const Path& path, Permissions permissions) override {
    Descriptor file = OpenOrThrow(path, O_WRONLY | O_CREAT | O_EXCL, permissions.value_or(0666));
    // What the umask may have taken from the group.
    if (permissions && (*permissions & 077) != 0 && ::fchmod(file.get(), *permissions) != 0)
      ThrowErrno("cannot set the permissions of", path.string(), errno);
    return std::make_unique<RealWritableFile>(path, std::move(file));
  }

  std::unique_ptr<WritableFile> OpenStream(const Path& path) override {
    constexpr auto kStream = RealWritableFile::Kind::kStream;
    if (path == "-") {
      const int copy = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
      if (copy < 0) ThrowErrno("cannot write", "standard output", errno);
      return std::make_unique<RealWritableFile>("standard output", Descriptor(copy), kStream);
    }
    // A file by a descriptor's name, as /dev/stdout may be: behind what it holds.
    std::error_code error;
    const int append = fs::is_regular_file(path, error) ? O_APPEND : 0;
    return std::make_unique<RealWritableFile>(path, OpenOrThrow(path, O_WRONLY | O_NOCTTY | append),
                                              kStream);
  }

  std::unique_ptr<WritableFile> OpenEnd(const Path& path, uint64_t keep_bytes) override {
    Descriptor file = OpenOrThrow(path, O_WRONLY | O_APPEND | (keep_bytes == 0 ? O_CREAT : 0));
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) ThrowErrno("cannot stat", path.string(), errno);
    if (!S_ISREG(info.st_mode) || static_cast<uint64_t>(info.st_size) < keep_bytes) {
      Throw(ErrorKind::kCorrupt, "{}: expected a file of at least {} bytes, found {}",
            path.string(), keep_bytes, info.st_size);
    }
    if (static_cast<uint64_t>(info.st_size) > keep_bytes &&
        ::ftruncate(file.get(), static_cast<off_t>(keep_bytes)) != 0)
      ThrowErrno("cannot cut", path.string(), errno);
    return std::make_unique<RealWritableFile>(path, std::move(file));
  }

  void Rename(const Path& from, const Path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0)
      ThrowErrno("cannot rename a file to", to.string(), errno);
  }

  bool Link(const Path& file, const Path& name) override {
    if (::link(file.c_str(), name.c_str()) == 0) return true;
    if (errno == EEXIST) return false;
    // What file systems without them say; EMLINK: one that has no more for this file.
    if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK) {
      Throw(ErrorKind::kUnsupported, "cannot link {}: {}: no hard links are possible there",
            name.string(), std::generic_category().message(errno));
    }
    ThrowErrno("cannot link", name.string(), errno);
  }

  void Remove(const Path& path) override {
    if (::unlink(path.c_str()) != 0) ThrowErrno("cannot remove", path.string(), errno);
  }

  void CreateDirectories(const Path& path, Permissions permissions) override {
    std::error_code error;
    if (!permissions) {
      fs::create_directories(path, error);
      if (error) ThrowErrno("cannot create the folder", path.string(), error.value());
      return;
    }
    if (fs::is_directory(path, error)) return;
    const Path folder = path.has_filename() ? path : path.parent_path();
    if (folder.has_parent_path()) CreateDirectories(folder.parent_path(), permissions);
    if (::mkdir(folder.c_str(), *permissions) != 0) {
      if (errno == EEXIST && fs::is_directory(path, error)) return;
      ThrowErrno("cannot create the folder", path.string(), errno);
    }
    if ((*permissions & 07077) != 0 && ::chmod(folder.c_str(), *permissions) != 0)
      ThrowErrno("cannot set the permissions of", path.string(), errno);
  }

  void SyncDirectory(const Path& path) override {
    const Descriptor directory = OpenOrThrow(path, O_RDONLY | O_DIRECTORY);
    if (::fsync(directory.get()) != 0) ThrowErrno("cannot sync the folder", path.string(), errno);
  }

  bool Exists(const Path& path) override {
    std::error_code error;
    return fs::exists(path, error);
  }

  uint64_t FileSize(const Path& path) override {
    std::error_code error;
    const uint64_t size = fs::file_size(path, error);
    if (error) ThrowErrno("cannot stat", path.string(), error.value());
    return size;
  }

  std::vector<Path> List(const Path& directory) override {
    std::vector<Path> names;
    std::error_code error;
    for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
      names.push_back(entry->path().filename());
    }
    if (error && error != std::errc::no_such_file_or_directory) {
      ThrowErrno("cannot list the folder", directory.string(), error.value());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
};

}  // namespace

FileSystem& FileSystem::Real() {
  static RealFileSystem real;  // stateless
  return real;
}

}  // namespace statelib
