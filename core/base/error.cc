// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"

#include <cerrno>
#include <system_error>

#include "core/base/disk_full.h"
#include "core/base/printable.h"

namespace statelib {

Error::Error(ErrorKind kind, const std::string& message)
    : std::runtime_error(Printable(message)), kind_(kind) {}

const char* NameOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kNotFound:
      return "not_found";
    case ErrorKind::kInvalidArgument:
      return "invalid_argument";
    case ErrorKind::kCorrupt:
      return "corrupt";
    case ErrorKind::kMismatch:
      return "mismatch";
    case ErrorKind::kBusy:
      return "busy";
    case ErrorKind::kIo:
      return "io";
    case ErrorKind::kUnsupported:
      return "unsupported";
    case ErrorKind::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

namespace {

const char* AdviceFor(int errno_value) {
  switch (errno_value) {
    case ENOSPC:
    case EDQUOT:
      return "; free some space and run the command again, nothing was changed";
    case EACCES:
    case EPERM:
    case EROFS:
      return "; check the permissions, or choose another place";
    case EMFILE:
    case ENFILE:
      return "; raise the limit of open files (ulimit -n)";
    case ELOOP:
      return "; a symbolic link there leads back to itself";
    default:
      return "";
  }
}

}  // namespace

void ThrowErrno(const std::string& doing, const std::string& path, int errno_value) {
  const ErrorKind kind =
      errno_value == ENOENT || errno_value == ENOTDIR ? ErrorKind::kNotFound : ErrorKind::kIo;
  const std::string message =
      fmt::format("{} {}: {}{}", doing, path, std::generic_category().message(errno_value),
                  AdviceFor(errno_value));
  if (errno_value == ENOSPC || errno_value == EDQUOT) throw DiskFull(message);
  throw Error(kind, message);
}

}  // namespace statelib
