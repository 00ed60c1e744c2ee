// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_LIBRARY_FILES_H_
#define STATELIB_STATESTORE_STORAGE_LIBRARY_FILES_H_

#include <filesystem>

#include "core/base/file_system.h"

namespace statelib::storage {

/// Who may use a library that is made.
enum class Sharing {
  kPrivate,  ///< its owner: folders 0700, files 0600
  kGroup  ///< its group too: folders 02770, so that what is made in them is the group's, files 0660
};

/// The folder's permissions of a new library.
mode_t FolderPermissions(Sharing sharing);

/// What is made in a folder of a library may be used by all who may use the folder. A folder that
/// others may use says nothing: then it is the umask that decides, as everywhere else.
struct LibraryPermissions {
  Permissions file;
  Permissions folder;
};
LibraryPermissions PermissionsIn(const std::filesystem::path& folder);

/// Sets the permissions of a file that was made in `folder` by something else than LibraryFiles.
/// One that is somebody else's is left alone. Errors: kIo.
void SetPermissionsIn(const std::filesystem::path& folder, const std::filesystem::path& file);

/// The file system as a library uses it for everything in its own folder: another one, but for the
/// permissions of what is made.
class LibraryFiles : public FileSystem {
 public:
  LibraryFiles(FileSystem& files, const Path& library)
      : files_(files), permissions_(PermissionsIn(library)) {}

  std::unique_ptr<WritableFile> Create(const Path& path, Permissions permissions = {}) override {
    return files_.Create(path, permissions ? permissions : permissions_.file);
  }
  void CreateDirectories(const Path& path, Permissions permissions = {}) override {
    files_.CreateDirectories(path, permissions ? permissions : permissions_.folder);
  }
  Bytes ReadFile(const Path& path, uint64_t max_bytes) override {
    return files_.ReadFile(path, max_bytes);
  }
  std::unique_ptr<WritableFile> OpenStream(const Path& path) override {
    return files_.OpenStream(path);
  }
  std::unique_ptr<WritableFile> OpenEnd(const Path& path, uint64_t keep_bytes) override {
    if (keep_bytes == 0 && !files_.Exists(path)) Create(path)->Close();
    return files_.OpenEnd(path, keep_bytes);
  }
  void Rename(const Path& from, const Path& to) override { files_.Rename(from, to); }
  bool Link(const Path& file, const Path& name) override { return files_.Link(file, name); }
  void Remove(const Path& path) override { files_.Remove(path); }
  void SyncDirectory(const Path& path) override { files_.SyncDirectory(path); }
  bool Exists(const Path& path) override { return files_.Exists(path); }
  uint64_t FileSize(const Path& path) override { return files_.FileSize(path); }
  std::vector<Path> List(const Path& directory) override { return files_.List(directory); }

 private:
  FileSystem& files_;
  LibraryPermissions permissions_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_LIBRARY_FILES_H_
