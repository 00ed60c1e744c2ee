// SPDX-License-Identifier: Apache-2.0
#include "cli/where.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "cli/terminal/quantities.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "statestore/library/models.h"

namespace statelib::cli {

namespace {

struct Condition {
  std::string key;
  std::string sign;
  std::string value;
};

[[noreturn]] void Refuse(const std::string& text) {
  Throw(ErrorKind::kInvalidArgument,
        "--where: expected model=NAME, tag=TAG, source=PATTERN, or age, size or tokens with <, <=, "
        ">, >= or = and a value, as 'age<7d', 'size>1MB' or 'tokens>=1000'; found '{}'",
        Printable(text));
}

Condition Split(const std::string& text) {
  const size_t sign = text.find_first_of("<>=");
  if (sign == std::string::npos || sign == 0) Refuse(text);
  const size_t value = sign + (text[sign] != '=' && text.substr(sign + 1, 1) == "=" ? 2 : 1);
  if (value == text.size()) Refuse(text);
  return {text.substr(0, sign), text.substr(sign, value - sign), text.substr(value)};
}

uint64_t ParseCount(const std::string& text, const std::string& whole) {
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count > INT64_MAX) Refuse(whole);
  return count;
}

/// "30min", "12h", "7d", "2w", "1y" as milliseconds.
uint64_t ParseAge(const std::string& text, const std::string& whole) {
  constexpr uint64_t kSecondMs = 1000;
  struct Unit {
    std::string_view name;
    uint64_t ms;
  };
  constexpr std::array kUnits = {Unit{"s", kSecondMs},
                                 Unit{"min", 60 * kSecondMs},
                                 Unit{"h", 3600 * kSecondMs},
                                 Unit{"d", 24 * 3600 * kSecondMs},
                                 Unit{"w", 7 * 24 * 3600 * kSecondMs},
                                 Unit{"y", uint64_t{365} * 24 * 3600 * kSecondMs}};
  const size_t digits = text.find_first_not_of("0123456789");
  if (digits == std::string::npos || digits == 0 || digits > 6) Refuse(whole);
  for (const Unit& unit : kUnits) {
    if (text.substr(digits) == unit.name)
      return ParseCount(text.substr(0, digits), whole) * unit.ms;
  }
  Refuse(whole);
}

/// Narrows a range of whole numbers by a comparison with one.
void Narrow(const Condition& condition, int64_t value, storage::ReferenceQuery::Range* range) {
  if (condition.sign == "<" || condition.sign == "<=" || condition.sign == "=")
    range->highest = std::min(range->highest, value - (condition.sign == "<" ? 1 : 0));
  if (condition.sign == ">" || condition.sign == ">=" || condition.sign == "=")
    range->lowest = std::max(range->lowest, value + (condition.sign == ">" ? 1 : 0));
}

}  // namespace

void AddCondition(const library::Library& library, const std::string& text,
                  storage::ReferenceQuery* query) {
  const Condition condition = Split(text);
  if (condition.key == "age") {
    // Older is earlier: the comparison turns round.
    const auto moment = library.now_ms() - static_cast<int64_t>(ParseAge(condition.value, text));
    Condition turned = condition;
    for (char& c : turned.sign) c = c == '<' ? '>' : c == '>' ? '<' : c;
    return Narrow(turned, moment, &query->moved_at_ms);
  }
  if (condition.key == "size")
    return Narrow(condition, static_cast<int64_t>(ParseBytes(condition.value)),
                  &query->stored_bytes);
  if (condition.key == "tokens")
    return Narrow(condition, static_cast<int64_t>(ParseCount(condition.value, text)),
                  &query->token_count);
  if (condition.sign != "=") Refuse(text);
  if (condition.key == "model")
    query->model = library::ShowModel(library, condition.value).row.identity.fingerprint;
  else if (condition.key == "tag")
    query->tag = condition.value;
  else if (condition.key == "source")
    query->source_pattern = condition.value;
  else
    Refuse(text);
}

}  // namespace statelib::cli
