// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/moment.h"

#include <array>
#include <charconv>
#include <chrono>
#include <optional>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "statestore/storage/reference.h"

namespace statelib::storage {

namespace {

constexpr int64_t kSecondMs = 1000;
constexpr int64_t kDayMs = 24 * 3600 * kSecondMs;

struct Unit {
  std::string_view name;
  int64_t ms;
};
constexpr std::array kUnits = {
    Unit{"second", kSecondMs},  Unit{"minute", 60 * kSecondMs}, Unit{"hour", kDayMs / 24},
    Unit{"day", kDayMs},        Unit{"week", 7 * kDayMs},       Unit{"month", 30 * kDayMs},
    Unit{"year", 365 * kDayMs},
};

/// Takes a number of at most `digits` digits off the front.
std::optional<int64_t> TakeNumber(std::string_view* text, size_t digits) {
  int64_t number = 0;
  const std::string_view head = text->substr(0, digits);
  const auto [end, error] = std::from_chars(head.data(), head.data() + head.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  text->remove_prefix(static_cast<size_t>(end - head.data()));
  return number;
}

bool Take(std::string_view* text, std::string_view expected) {
  if (!text->starts_with(expected)) return false;
  text->remove_prefix(expected.size());
  return true;
}

/// "N UNIT[s] ago".
std::optional<int64_t> Ago(std::string_view text, int64_t now_ms) {
  constexpr int64_t kLargest = 1'000'000;
  const auto number = TakeNumber(&text, 7);
  if (!number || *number > kLargest || !Take(&text, " ")) return std::nullopt;
  for (const Unit& unit : kUnits) {
    std::string_view rest = text;
    if (!Take(&rest, unit.name)) continue;
    Take(&rest, "s");
    if (rest == " ago") return now_ms - *number * unit.ms;
  }
  return std::nullopt;
}

/// "YYYY-MM-DD", then nothing or "HH:MM[:SS][Z]".
std::optional<int64_t> Date(std::string_view text) {
  using std::chrono::year_month_day;
  const auto year = TakeNumber(&text, 4);
  if (!year || !Take(&text, "-")) return std::nullopt;
  const auto month = TakeNumber(&text, 2);
  if (!month || !Take(&text, "-")) return std::nullopt;
  const auto day = TakeNumber(&text, 2);
  if (!day) return std::nullopt;
  const year_month_day date(std::chrono::year(static_cast<int>(*year)),
                            std::chrono::month(static_cast<unsigned>(*month)),
                            std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  const int64_t midnight = std::chrono::sys_days(date).time_since_epoch().count() * kDayMs;
  if (text.empty()) return midnight + kDayMs - 1;
  if (!Take(&text, " ") && !Take(&text, "T")) return std::nullopt;
  const auto hour = TakeNumber(&text, 2);
  if (!hour || *hour > 23 || !Take(&text, ":")) return std::nullopt;
  const auto minute = TakeNumber(&text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  int64_t second = 0;
  if (Take(&text, ":")) {
    const auto seconds = TakeNumber(&text, 2);
    if (!seconds || *seconds > 59) return std::nullopt;
    second = *seconds;
  }
  Take(&text, "Z");
  if (!text.empty()) return std::nullopt;
  return midnight + ((*hour * 60 + *minute) * 60 + second) * kSecondMs;
}

}  // namespace

int64_t UnixMilliseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return int64_t{std::chrono::duration_cast<std::chrono::milliseconds>(now).count()};
}

int64_t ParseMoment(std::string_view text, int64_t now_ms) {
  if (text == "now") return now_ms;
  if (text == "yesterday") return now_ms - kDayMs;
  if (const auto ago = Ago(text, now_ms)) return *ago;
  if (const auto date = Date(text)) return *date;
  Throw(ErrorKind::kInvalidArgument,
        "\"{}\": expected a point in time, as 'yesterday', '2 hours ago', '2026-11-20' or "
        "'2026-11-20 14:05' (UTC)",
        Escaped(text));
}

std::string MomentText(int64_t unix_ms) {
  using std::chrono::sys_days;
  const int64_t seconds = unix_ms >= 0 ? unix_ms / kSecondMs : 0;
  const std::chrono::year_month_day date(sys_days(std::chrono::days(seconds / 86400)));
  const int64_t rest = seconds % 86400;
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     rest / 3600, rest / 60 % 60, rest % 60);
}

}  // namespace statelib::storage
