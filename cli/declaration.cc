// SPDX-License-Identifier: Apache-2.0
#include "cli/declaration.h"

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <type_traits>

#include "core/base/nearest_names.h"
#include "core/base/printable.h"

namespace statelib::cli {

namespace {

/// Says what a number has to be. CLI11's own reading takes nothing for zero and -1 for the largest
/// whole number.
template <typename Number>
CLI::Validator IsNumber(bool below_zero) {
  return CLI::Validator(
      [below_zero](std::string& text) {
        Number number{};
        const char* const end = text.data() + text.size();
        const auto read = std::from_chars(text.data(), end, number);
        if (read.ec == std::errc() && read.ptr == end && (below_zero || !text.starts_with('-')))
          return std::string();
        const bool too_large = read.ec == std::errc::result_out_of_range;
        return fmt::format(
            "expected a {}{}, found {}{}", std::is_integral_v<Number> ? "whole number" : "number",
            below_zero ? "" : " from 0 on", Quoted(text), too_large ? ", which is too large" : "");
      },
      "");
}

CLI::Validator AtMost(int most) {
  return CLI::Validator(
      [most](std::string& text) {
        double number = 0;
        std::from_chars(text.data(), text.data() + text.size(), number);
        return number <= most
                   ? std::string()
                   : fmt::format("expected a number up to {}, found {}", most, Quoted(text));
      },
      "");
}

CLI::Validator OneOf(const std::vector<std::string>& choices) {
  return CLI::Validator(
      [choices](std::string& text) {
        if (std::find(choices.begin(), choices.end(), text) != choices.end()) return std::string();
        return fmt::format("expected {}, found '{}'{}", fmt::join(choices, ", "), text,
                           DidYouMean(text, choices));
      },
      "");
}

CLI::Option& Add(CLI::App& app, const std::string& flags, Target target, const std::string& help,
                 bool below_zero) {
  return std::visit(
      [&](auto* pointee) -> CLI::Option& {
        CLI::Option* option = app.add_option(flags, *pointee, help);
        using Pointee = std::remove_pointer_t<decltype(pointee)>;
        if constexpr (std::is_arithmetic_v<Pointee>) option->check(IsNumber<Pointee>(below_zero));
        if constexpr (std::is_same_v<Pointee, std::optional<double>>)
          option->check(IsNumber<double>(below_zero));
        return *option;
      },
      target);
}

void Apply(CLI::Option& option, const Value& value) {
  if (value.required) option.required();
  if (!value.choices.empty()) option.check(OneOf(value.choices));
  if (value.at_most) option.check(AtMost(*value.at_most));
  option.type_name(value.choices.empty() ? value.shown_as
                                         : fmt::format("{}", fmt::join(value.choices, "|")));
  if (value.shows_default) option.capture_default_str();
  option.group(value.group);
}

}  // namespace

void Declaration::Argument(const std::string& name, Target target, const std::string& help,
                           const Value& value) {
  CLI::Option& option = Add(app_, name, target, help, value.below_zero);
  Apply(option, value);
  if (value.shown_as == name) option.type_name("");  // once is enough
  // CLI11 has a heading of its own for arguments.
  option.group("Positionals");
}

void Declaration::Option(const std::string& flags, Target target, const std::string& help,
                         const Value& value) {
  CLI::Option& option = Add(app_, flags, target, help, value.below_zero);
  if (std::holds_alternative<std::vector<std::string>*>(target))
    option.expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  Apply(option, value);
}

void Declaration::Flag(const std::string& flags, bool& target, const std::string& help,
                       const std::string& group) {
  app_.add_flag(flags, target, help)->group(group);
}

void Declaration::Exclude(const std::string& flag, const std::string& other) {
  app_.get_option(flag)->excludes(app_.get_option(other));
}

void Declaration::Examples(const std::string& lines) { app_.footer("Examples:\n" + lines); }

}  // namespace statelib::cli
