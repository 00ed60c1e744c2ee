// SPDX-License-Identifier: Apache-2.0
#include "core/base/output_place.h"

#include <sys/stat.h>

#include <cerrno>

#include "core/base/error.h"

namespace statelib {

namespace {

namespace fs = std::filesystem;

constexpr int kLinksMax = 40;  // as the system follows

/// Links of the kind that /proc/self/fd has lead to open files and not to names.
bool LeadsToDescriptor(const fs::path& link) {
  std::error_code error;
  const fs::path folder = fs::canonical(link.has_parent_path() ? link.parent_path() : ".", error);
  return !error && folder.native().starts_with("/proc/");
}

bool IsLink(const fs::path& path) {
  std::error_code error;
  return fs::is_symlink(fs::symlink_status(path, error));
}

/// Errors: those of FollowLinks. Ends at a link to a descriptor.
fs::path LastPlace(const fs::path& path) {
  fs::path place = path;
  for (int links = 0; IsLink(place) && !LeadsToDescriptor(place); ++links) {
    if (links == kLinksMax) ThrowErrno("cannot write", path.string(), ELOOP);
    std::error_code error;
    const fs::path target = fs::read_symlink(place, error);
    if (error) ThrowErrno("cannot follow the link", place.string(), error.value());
    place = target.is_absolute() ? target : place.parent_path() / target;
  }
  return place;
}

}  // namespace

fs::path FollowLinks(const fs::path& path) { return LastPlace(path); }

OutputPlace FindOutputPlace(const fs::path& path) {
  if (path == "-") return {path, true};
  struct stat info {};
  const bool is_there = ::stat(path.c_str(), &info) == 0;
  if (!is_there && errno == ELOOP) ThrowErrno("cannot write", path.string(), ELOOP);
  if (is_there && S_ISDIR(info.st_mode)) {
    Throw(ErrorKind::kInvalidArgument, "{}: a folder; name a file to write", path.string());
  }
  if (is_there && !S_ISREG(info.st_mode)) return {path, true};
  const fs::path place = LastPlace(path);
  if (IsLink(place)) return {path, true};
  return {place, false};
}

}  // namespace statelib
