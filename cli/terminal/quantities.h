// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_TERMINAL_QUANTITIES_H_
#define STATELIB_CLI_TERMINAL_QUANTITIES_H_

#include <cstdint>
#include <string>

namespace statelib::cli {

/// "0 B", "999 B", "1.5 kB", "29.9 MB": powers of a thousand, three digits at most.
std::string HumanBytes(uint64_t bytes);

/// The inverse, generously: a number with a unit of powers of a thousand (kB, MB, GB, TB) or of
/// 1024 (KiB, MiB, GiB, TiB), in either case, "B" or none. Errors: kInvalidArgument.
uint64_t ParseBytes(const std::string& text);

/// "0", "9,999", "1,234,567".
std::string HumanCount(uint64_t count);

/// "1 token", "2,000 tokens": the plural is the noun and an s.
std::string HumanCount(uint64_t count, const char* noun);

/// "0.4 ms", "35 ms", "1.2 s", "3 m 05 s", "2 h 07 m".
std::string HumanDuration(double seconds);

/// A rate per second with three digits: "0.5", "12.3", "4,160".
std::string HumanRate(double per_second);

/// How long ago, in one unit: "now", "12 s", "5 min", "3 h", "6 days", "8 months", "2 years". Times
/// in the future, from a clock that was set back, read as "now".
std::string HumanAge(int64_t seconds);

/// "2026-03-09 14:05:33 UTC" for seconds since 1970.
std::string UtcTime(int64_t unix_seconds);
/// "2026-03-09T14:05:33Z", as JSON output has it.
std::string IsoTime(int64_t unix_seconds);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_TERMINAL_QUANTITIES_H_
