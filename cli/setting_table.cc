// SPDX-License-Identifier: Apache-2.0
// Which settings there are and what each may be.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "cli/settings.h"
#include "core/base/error.h"
#include "core/base/nearest_names.h"
#include "core/base/printable.h"

namespace statelib::cli {

namespace {

constexpr double kAny = 1e300;
constexpr double kCountMax = 9e15;  // every whole number up to it is a double
constexpr double kThreadsMax = 1024;
constexpr double kLeast = 1e-300;  // above 0

constexpr const char* kColourChoices[] = {"auto", "always", "never"};
constexpr const char* kCount = "a whole number from 0";
constexpr const char* kFromZero = "a number from 0";

constexpr SettingDescription kSettings[] = {
    {"library", "", SettingKind::kFolder, "a folder: an absolute path, or one that begins with ~/",
     0, 0, "", "The library's folder, where neither --library nor $STATELIB_HOME names one"},
    {"model", "", SettingKind::kText, "a model's name, folder or file", 0, 0, "demo",
     "The model for what no state and no library's default decides"},
    {"remote", "", SettingKind::kText, "a remote's name, folder or address", 0, 0, "",
     "The remote that push, pull and ls-remote take where none is named"},
    {"threads", "--threads", SettingKind::kCount, "a whole number from 0 to 1024", 0, kThreadsMax,
     "every processor", "Threads to compute with; 0 for every processor"},
    {"colour", "", SettingKind::kChoice, "auto, always or never", 0, 0, "auto",
     "Whether to print colours: auto on a terminal, always, or never"},
    {"sampling.max-tokens", "--max-tokens", SettingKind::kCount, kCount, 0, kCountMax, "",
     "End an answer after this many tokens"},
    {"sampling.temperature", "--temperature", SettingKind::kNumber, kFromZero, 0, kAny, "",
     "0 takes the likeliest token every time"},
    {"sampling.top-k", "--top-k", SettingKind::kCount, kCount, 0, kCountMax, "",
     "Choose among so many of the likeliest tokens; 0 for all"},
    {"sampling.top-p", "--top-p", SettingKind::kNumber, "a number above 0 and up to 1", kLeast, 1,
     "", "Choose among the likeliest tokens of this probability together"},
    {"sampling.min-p", "--min-p", SettingKind::kNumber, "a number from 0 to 1", 0, 1, "",
     "Leave out tokens less likely than this part of the likeliest"},
    {"sampling.repetition-penalty", "--repetition-penalty", SettingKind::kNumber,
     "a number above 0", kLeast, kAny, "", "Above 1 makes tokens seen less likely"},
    {"sampling.presence-penalty", "--presence-penalty", SettingKind::kNumber,
     "a number from -100 to 100", -100, 100, "",
     "Above 0 makes tokens that are in the answer less likely"},
    {"sampling.frequency-penalty", "--frequency-penalty", SettingKind::kNumber,
     "a number from -100 to 100", -100, 100, "",
     "Above 0 makes tokens less likely each time that they are chosen"},
    {"sampling.seed", "--seed", SettingKind::kCount, kCount, 0, kCountMax, "",
     "The same seed gives the same answer"},
};

/// The text as a number, NaN for none.
double NumberOf(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : std::nan("");
}

bool IsWithin(const SettingDescription& setting, const std::string& text) {
  const double number = NumberOf(text);
  if (!(number >= setting.lowest && number <= setting.highest)) return false;
  return setting.kind != SettingKind::kCount || number == std::floor(number);
}

bool IsRight(const SettingDescription& setting, const std::string& text) {
  switch (setting.kind) {
    case SettingKind::kText:
      return !text.empty();
    case SettingKind::kFolder:
      return text.starts_with("/") || text.starts_with("~/");
    case SettingKind::kCount:
    case SettingKind::kNumber:
      return IsWithin(setting, text);
    case SettingKind::kChoice:
      return std::find(std::begin(kColourChoices), std::end(kColourChoices), text) !=
             std::end(kColourChoices);
  }
  return false;
}

}  // namespace

std::span<const SettingDescription> AllSettings() { return kSettings; }

std::span<const char* const> ColourChoices() { return kColourChoices; }

const SettingDescription& SettingNamed(std::string_view key) {
  std::vector<std::string> keys;
  std::string hint;
  for (const SettingDescription& setting : kSettings) {
    if (key == setting.key) return setting;
    keys.emplace_back(setting.key);
    if (keys.back() == "sampling." + std::string(key))
      hint = fmt::format("; did you mean {}?", setting.key);
  }
  Throw(ErrorKind::kInvalidArgument,
        "there is no setting '{}'{}; `statelib config set --help` lists them", Printable(key),
        hint.empty() ? DidYouMean(key, keys) : hint);
}

std::string CheckedValue(const SettingDescription& setting, const std::string& text,
                         const std::string& location) {
  if (!IsRight(setting, text))
    Throw(ErrorKind::kInvalidArgument, "{}{}: expected {}, found '{}'", location, setting.key,
          setting.expected, Printable(text));
  if (setting.kind == SettingKind::kCount) return fmt::format("{:.0f}", NumberOf(text));
  if (setting.kind == SettingKind::kNumber) return fmt::format("{}", NumberOf(text));
  return text;
}

}  // namespace statelib::cli
