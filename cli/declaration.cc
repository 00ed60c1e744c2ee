// SPDX-License-Identifier: Apache-2.0
#include "cli/declaration.h"

#include <CLI/CLI.hpp>
#include <type_traits>

namespace statelib::cli {

namespace {

// Without it CLI11 would read -1 as the largest whole number.
CLI::Validator NotNegative() {
  return CLI::Validator(
      [](std::string& text) {
        return text.starts_with("-") ? text + " is below nought" : std::string();
      },
      "");
}

CLI::Validator AtMost(int most) {
  return CLI::Validator(
      [most](std::string& text) {
        double number = 0;
        return CLI::detail::lexical_cast(text, number) && number <= most
                   ? std::string()
                   : text + " is not a number up to " + std::to_string(most);
      },
      "");
}

CLI::Option& Add(CLI::App& app, const std::string& flags, Target target, const std::string& help) {
  return std::visit(
      [&](auto* pointee) -> CLI::Option& {
        CLI::Option* option = app.add_option(flags, *pointee, help);
        using Pointee = std::remove_pointer_t<decltype(pointee)>;
        if constexpr (std::is_arithmetic_v<Pointee> ||
                      std::is_same_v<Pointee, std::optional<double>>)
          option->check(NotNegative());
        return *option;
      },
      target);
}

void Apply(CLI::Option& option, const Value& value) {
  if (value.required) option.required();
  if (!value.choices.empty()) option.check(CLI::IsMember(value.choices));
  if (value.at_most) option.check(AtMost(*value.at_most));
  // A list of choices is shown by its check.
  option.type_name(value.choices.empty() ? value.shown_as : "");
  if (value.shows_default) option.capture_default_str();
  option.group(value.group);
}

}  // namespace

void Declaration::Argument(const std::string& name, Target target, const std::string& help,
                           const Value& value) {
  CLI::Option& option = Add(app_, name, target, help);
  Apply(option, value);
  // CLI11 has a heading of its own for arguments.
  option.group("Positionals");
}

void Declaration::Option(const std::string& flags, Target target, const std::string& help,
                         const Value& value) {
  CLI::Option& option = Add(app_, flags, target, help);
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
