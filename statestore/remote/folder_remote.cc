// SPDX-License-Identifier: Apache-2.0
#include "statestore/remote/folder_remote.h"

#include <cerrno>
#include <fstream>
#include <utility>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/base/random_name.h"
#include "statestore/storage/reference.h"

namespace statelib::remote {

namespace {

using Path = std::filesystem::path;

constexpr size_t kBlockBytes = 1u << 20;

class FolderStore : public BlobStore {
 public:
  FolderStore(Path folder, FileSystem& files)
      : folder_(std::move(folder)), location_(folder_.string()), files_(files) {}

  const std::string& location() const override { return location_; }

  std::optional<uint64_t> Size(const std::string& path) override {
    if (!files_.Exists(folder_ / path)) return std::nullopt;
    return files_.FileSize(folder_ / path);
  }

  void Read(const std::string& path, uint64_t offset, const Sink& sink) override {
    const Path place = folder_ / path;
    std::ifstream file(place, std::ios::binary);
    if (!file) ThrowErrno("cannot open", place.string(), errno);
    file.seekg(static_cast<std::streamoff>(offset));
    Bytes block(kBlockBytes);
    while (file) {
      file.read(reinterpret_cast<char*>(block.data()), static_cast<std::streamsize>(block.size()));
      if (file.gcount() > 0) sink(ByteSpan(block).first(static_cast<size_t>(file.gcount())));
    }
    if (file.bad()) ThrowErrno("cannot read", place.string(), EIO);
  }

  void Write(const std::string& path, const ByteSource& bytes) override {
    Place(path, bytes, [&](const Path& temporary) { files_.Rename(temporary, folder_ / path); });
  }

  bool WriteNew(const std::string& path, ByteSpan bytes) override {
    bool fresh = true;
    Place(path, MemorySource(bytes), [&](const Path& temporary) {
      fresh = files_.Link(temporary, folder_ / path);  // unlike a rename, which would replace
      files_.Remove(temporary);
    });
    return fresh;
  }

  std::vector<std::string> List(const std::string& folder) override {
    std::vector<std::string> names;
    for (const Path& name : files_.List(folder_ / folder)) names.push_back(name.string());
    return names;
  }

  void Remove(const std::string& path) override {
    try {
      files_.Remove(folder_ / path);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kNotFound) throw;  // somebody else was faster
    }
  }

 private:
  /// Writes a temporary file durably and lets `finish` put it in its place.
  template <typename Finish>
  void Place(const std::string& path, const ByteSource& bytes, const Finish& finish) {
    const Path parent = (folder_ / path).parent_path();
    files_.CreateDirectories(folder_ / "tmp");
    files_.CreateDirectories(parent);
    const Path temporary = folder_ / "tmp" / RandomName();
    try {
      const auto file = files_.Create(temporary);
      bytes.ForEachBlock([&](ByteSpan block) { file->Append(block); });
      file->Sync();
      file->Close();
      finish(temporary);
    } catch (...) {
      try {
        files_.Remove(temporary);
      } catch (const Error&) {
        // It may never have been created; the first error is the one to report.
      }
      throw;
    }
    files_.SyncDirectory(parent);
  }

  Path folder_;
  std::string location_;
  FileSystem& files_;
};

}  // namespace

std::unique_ptr<Remote> OpenFolderRemote(const Path& folder, FileSystem& files) {
  if (!std::filesystem::is_directory(folder)) {
    Throw(ErrorKind::kNotFound,
          "{}: there is no such folder; mount the share, or make the folder with mkdir",
          folder.string());
  }
  const std::vector<Path> names = files.List(folder);
  const bool is_remote = files.Exists(folder / "statelib-remote");
  for (const Path& name : names) {
    if (is_remote || name == "tmp") continue;
    Throw(ErrorKind::kInvalidArgument,
          "{}: neither empty nor a remote: it holds {}; choose an empty folder", folder.string(),
          Escaped(name.string()));
  }
  return std::make_unique<BlobRemote>(std::make_unique<FolderStore>(folder, files));
}

}  // namespace statelib::remote
