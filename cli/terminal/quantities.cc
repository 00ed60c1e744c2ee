// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/quantities.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <ctime>
#include <map>

#include "core/base/error.h"
#include "core/base/printable.h"

namespace statelib::cli {

namespace {

// 9.99, 99.9, 999: three digits.
std::string ThreeDigits(double value) {
  if (value < 9.995) return fmt::format("{:.2f}", value);
  return value < 99.95 ? fmt::format("{:.1f}", value) : fmt::format("{:.0f}", value);
}

std::string FormatTime(int64_t unix_seconds, const char* format) {
  const std::time_t time = unix_seconds;
  std::tm parts{};
  if (::gmtime_r(&time, &parts) == nullptr) return fmt::format("{} s since 1970", unix_seconds);
  std::array<char, 64> text{};
  const size_t size = std::strftime(text.data(), text.size(), format, &parts);
  return {text.data(), size};
}

}  // namespace

std::string HumanBytes(uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  constexpr std::array kUnits = {"kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  // 999.5 would round to 1000, which belongs to the next unit.
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{} {}", ThreeDigits(value), kUnits[unit]);
}

uint64_t ParseBytes(const std::string& text) {
  static const std::map<std::string, double> kUnits = {
      {"", 1},         {"b", 1},        {"k", 1e3},      {"kb", 1e3},    {"m", 1e6},
      {"mb", 1e6},     {"g", 1e9},      {"gb", 1e9},     {"t", 1e12},    {"tb", 1e12},
      {"kib", 0x1p10}, {"mib", 0x1p20}, {"gib", 0x1p30}, {"tib", 0x1p40}};
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string unit(end, text.data() + text.size());
  unit.erase(0, std::min(unit.find_first_not_of(' '), unit.size()));
  std::transform(unit.begin(), unit.end(), unit.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto factor = kUnits.find(unit);
  constexpr double kLargest = 0x1p62;
  if (error != std::errc() || factor == kUnits.end() || !(value >= 0) ||
      value * factor->second > kLargest) {
    Throw(ErrorKind::kInvalidArgument, "expected a size, as 500MB or 2GiB, found '{}'",
          Printable(text));
  }
  return static_cast<uint64_t>(value * factor->second);
}

std::string HumanCount(uint64_t count) {
  const std::string digits = fmt::format("{}", count);
  std::string grouped;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) grouped += ',';
    grouped += digits[i];
  }
  return grouped;
}

std::string HumanCount(uint64_t count, const char* noun) {
  return fmt::format("{} {}{}", HumanCount(count), noun, count == 1 ? "" : "s");
}

std::string HumanDuration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  if (seconds < 0.00995) return fmt::format("{:.1f} ms", seconds * 1000);
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", seconds * 1000);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<uint64_t>(std::min(seconds + 0.5, 1e15));
  if (whole < 3600) return fmt::format("{} m {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} m", whole / 3600, whole % 3600 / 60);
}

std::string HumanRate(double per_second) {
  if (!std::isfinite(per_second) || per_second < 0) return "?";
  if (per_second < 99.95) return fmt::format("{:.1f}", per_second);
  return HumanCount(static_cast<uint64_t>(std::min(per_second + 0.5, 1e18)));
}

std::string HumanAge(int64_t seconds) {
  constexpr int64_t kDay = 24 * 3600;
  if (seconds < 1) return "now";
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min", seconds / 60);
  if (seconds < kDay) return fmt::format("{} h", seconds / 3600);
  const auto in_units = [seconds](int64_t unit, const char* noun) {
    return HumanCount(static_cast<uint64_t>(seconds / unit), noun);
  };
  if (seconds < 60 * kDay) return in_units(kDay, "day");
  return seconds < 730 * kDay ? in_units(30 * kDay, "month") : in_units(365 * kDay, "year");
}

std::string UtcTime(int64_t unix_seconds) {
  return FormatTime(unix_seconds, "%Y-%m-%d %H:%M:%S UTC");
}

std::string IsoTime(int64_t unix_seconds) { return FormatTime(unix_seconds, "%Y-%m-%dT%H:%M:%SZ"); }

}  // namespace statelib::cli
