// SPDX-License-Identifier: Apache-2.0
#include "core/base/secret_file.h"

#include <sys/stat.h>

#include "core/base/error.h"

namespace statelib {

void RequireSecret(const std::filesystem::path& path, const char* what) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return;
  if ((info.st_mode & 077) == 0) return;
  Throw(ErrorKind::kInvalidArgument,
        "{}: {} that others can read or change (mode {:04o}); if nobody has, run `chmod 600 {}`, "
        "else replace it",
        path.string(), what, info.st_mode & 07777, path.string());
}

}  // namespace statelib
