// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_REMOTE_HTTP_STATUS_H_
#define STATELIB_STATESTORE_REMOTE_HTTP_STATUS_H_

#include <optional>
#include <string_view>

#include "core/base/error.h"

// How errors travel over HTTP: the server's statuses and what a client makes of them.
namespace statelib::remote {

/// Somebody else has published to one of the names meanwhile.
inline constexpr int kHttpChanged = 412;

int StatusOfKind(ErrorKind kind);
/// The nearest kind, for answers that do not name one.
ErrorKind KindOfStatus(long status);
/// The kind that NameOf() calls so.
std::optional<ErrorKind> KindOfName(std::string_view name);

}  // namespace statelib::remote

#endif  // STATELIB_STATESTORE_REMOTE_HTTP_STATUS_H_
