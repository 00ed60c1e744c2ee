// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_MOMENT_H_
#define STATELIB_STATESTORE_STORAGE_MOMENT_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace statelib::storage {

/// The system's clock, Unix milliseconds.
int64_t UnixMilliseconds();

/// What people write for a point in time, as Unix milliseconds: "now", "yesterday" (a day ago),
/// "2 hours ago" (seconds to years; a month has 30 days, a year 365), "2026-11-20" (the end of that
/// day) or "2026-11-20 14:05[:33]", also with 'T' and with 'Z'; times are UTC. Errors:
/// kInvalidArgument with these forms.
int64_t ParseMoment(std::string_view text, int64_t now_ms);

/// "2026-11-20 14:05:33 UTC".
std::string MomentText(int64_t unix_ms);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_MOMENT_H_
