// SPDX-License-Identifier: Apache-2.0
#include "statestore/remote/http_status.h"

namespace statelib::remote {

namespace {

constexpr ErrorKind kKinds[] = {ErrorKind::kNotFound,    ErrorKind::kInvalidArgument,
                                ErrorKind::kCorrupt,     ErrorKind::kMismatch,
                                ErrorKind::kBusy,        ErrorKind::kIo,
                                ErrorKind::kUnsupported, ErrorKind::kCancelled};

}  // namespace

int StatusOfKind(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
      return 400;
    case ErrorKind::kNotFound:
      return 404;
    case ErrorKind::kMismatch:
      return 409;
    case ErrorKind::kCorrupt:
      return 422;
    case ErrorKind::kIo:
      return 500;
    case ErrorKind::kUnsupported:
      return 501;
    case ErrorKind::kBusy:
    case ErrorKind::kCancelled:
      return 503;
  }
  return 500;
}

ErrorKind KindOfStatus(long status) {
  for (const ErrorKind kind : kKinds) {
    if (StatusOfKind(kind) == status) return kind;
  }
  return status >= 400 && status < 500 ? ErrorKind::kInvalidArgument : ErrorKind::kIo;
}

std::optional<ErrorKind> KindOfName(std::string_view name) {
  for (const ErrorKind kind : kKinds) {
    if (NameOf(kind) == name) return kind;
  }
  return std::nullopt;
}

}  // namespace statelib::remote
