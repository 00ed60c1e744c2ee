// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/library_files.h"

#include <sys/stat.h>

#include <cerrno>

#include "core/base/error.h"

namespace statelib::storage {

mode_t FolderPermissions(Sharing sharing) { return sharing == Sharing::kGroup ? 02770 : 0700; }

LibraryPermissions PermissionsIn(const std::filesystem::path& folder) {
  struct stat info {};
  const std::filesystem::path place = folder.empty() ? "." : folder;
  if (::stat(place.c_str(), &info) != 0 || (info.st_mode & 07) != 0) return {};
  return {info.st_mode & 0666, info.st_mode & 02777};
}

void SetPermissionsIn(const std::filesystem::path& folder, const std::filesystem::path& file) {
  const Permissions wanted = PermissionsIn(folder).file;
  if (wanted && ::chmod(file.c_str(), *wanted) != 0 && errno != EPERM)
    ThrowErrno("cannot set the permissions of", file.string(), errno);
}

}  // namespace statelib::storage
