// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_REMOTE_HTTP_STATUS_H_
#define STATELIB_STATESTORE_REMOTE_HTTP_STATUS_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/error.h"

// How errors travel over HTTP: the server's statuses and what a client makes of them.
namespace statelib::remote {

/// In the place of the number of states that a library has had of a name: whatever is there now may
/// be superseded.
inline constexpr uint32_t kWhateverIsThere = UINT32_MAX;

int StatusOfKind(ErrorKind kind);
/// The nearest kind, for answers that do not name one.
ErrorKind KindOfStatus(long status);
/// The kind that NameOf() calls so.
std::optional<ErrorKind> KindOfName(std::string_view name);

}  // namespace statelib::remote

#endif  // STATELIB_STATESTORE_REMOTE_HTTP_STATUS_H_
