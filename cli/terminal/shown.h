// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_TERMINAL_SHOWN_H_
#define STATELIB_CLI_TERMINAL_SHOWN_H_

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/base/printable.h"

namespace statelib::cli {

/// Text that can go to a terminal as it is. There are four ways to make one, and all but the last
/// escape (printable.h), so that no text from outside gets to a terminal otherwise.
class Shown {
 public:
  Shown() = default;
  /// One line: line feeds are escaped too.
  static Shown Line(std::string_view text) { return Shown(Printable(text)); }
  /// Text of several lines, as a help.
  static Shown Lines(std::string_view text) { return Shown(Printable(text, LineBreaks::kKeep)); }
  /// What `format`, which is ours, makes of arguments, each of which is shown as a line.
  template <typename... Args>
  static Shown Format(fmt::format_string<Args...> format, Args&&... args) {
    return Shown(fmt::vformat(fmt::string_view(format), fmt::make_format_args(Safe(args)...)));
  }
  /// Control sequences of our own. Not for text that holds anything else.
  static Shown Controls(std::string sequences) { return Shown(std::move(sequences)); }

  const std::string& text() const { return text_; }
  Shown& operator+=(const Shown& more) {
    text_ += more.text_;
    return *this;
  }
  friend Shown operator+(Shown a, const Shown& b) { return std::move(a += b); }
  bool operator==(const Shown&) const = default;

 private:
  explicit Shown(std::string text) : text_(std::move(text)) {}

  template <typename T>
  static auto Safe(const T& value) {
    if constexpr (std::is_same_v<T, Shown>) {
      return value.text();
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      return Printable(value);
    } else if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, char>) {
      return value;
    } else {
      // A copy, for fmt takes views of ranges as values alone.
      return Printable(fmt::format("{}", T(value)));
    }
  }

  std::string text_;
};

}  // namespace statelib::cli

/// So that it can be an argument of Shown::Format.
template <>
struct fmt::formatter<statelib::cli::Shown> : fmt::formatter<std::string_view> {
  template <typename Context>
  auto format(const statelib::cli::Shown& shown, Context& context) const {
    return fmt::formatter<std::string_view>::format(shown.text(), context);
  }
};

#endif  // STATELIB_CLI_TERMINAL_SHOWN_H_
