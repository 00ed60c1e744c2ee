// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/settings.h"

namespace statelib::cli {

namespace {

/// "=library model remote …".
Offer SettingKeys() {
  Offer offer = "=";
  for (const SettingDescription& setting : AllSettings())
    offer += (offer.size() > 1 ? " " : "") + std::string(setting.key);
  return offer;
}

/// What help shows in the place of a value tells what it is.
Offer OfferFor(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) return "";
  std::string shown = option.get_type_name();
  if (shown.empty()) shown = option.get_name();
  if (shown.find('|') != std::string::npos) {
    std::replace(shown.begin(), shown.end(), '|', ' ');
    return "=" + shown;
  }
  struct Kind {
    std::string_view begin;
    Offer offer;
  };
  const Kind kinds[] = {{"NAME", "states"},   {"MODEL", "models"}, {"REMOTE", "remotes"},
                        {"TAG", "tags"},      {"KEY", "keys"},     {"SETTING", SettingKeys()},
                        {"FILE", "files"},    {"DIR", "files"},    {"URL", "files"},
                        {"COMMAND", "none"},  {"OUT", "files"},    {"IN", "models"},
                        {"KEY=VALUE", "none"}};
  Offer offer = "none";
  // A longer beginning says more than a shorter one.
  for (const Kind& kind : kinds)
    if (shown.starts_with(kind.begin)) offer = kind.offer;
  return offer;
}

void Describe(const CLI::App& app, const std::string& name, std::vector<CommandWords>& commands) {
  CommandWords words;
  words.name = name;
  words.summary = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      words.places.push_back(OfferFor(*option));
      words.last_place_repeats = option->get_items_expected_max() > 1;
      continue;
    }
    if (option->get_group().empty()) continue;  // hidden
    OptionWords option_words{{}, option->get_description(), OfferFor(*option)};
    for (const std::string& flag : option->get_lnames()) option_words.flags.push_back("--" + flag);
    for (const std::string& flag : option->get_snames()) option_words.flags.push_back("-" + flag);
    words.options.push_back(std::move(option_words));
  }
  const auto below = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* sub : below) words.subcommands.push_back(sub->get_name());
  commands.push_back(std::move(words));
  for (const CLI::App* sub : below)
    Describe(*sub, name.empty() ? sub->get_name() : name + " " + sub->get_name(), commands);
}

std::string Quoted(std::string_view text, std::string_view escaped_quote) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'')
      quoted += escaped_quote;
    else
      quoted += c;
  }
  return quoted + "'";
}

}  // namespace

std::vector<CommandWords> DescribeCommands(const CLI::App& root) {
  std::vector<CommandWords> commands;
  Describe(root, "", commands);
  return commands;
}

std::string PosixQuoted(std::string_view text) { return Quoted(text, "'\\''"); }
std::string FishQuoted(std::string_view text) { return Quoted(text, "\\'"); }

std::string CommandBranches(const std::vector<CommandWords>& commands) {
  std::string text;
  for (const CommandWords& command : commands) {
    if (command.name.empty()) continue;
    const bool top = command.name.find(' ') == std::string::npos;
    text += fmt::format("      {}) command={}; continue ;;\n",
                        PosixQuoted(top ? " " + command.name : command.name),
                        PosixQuoted(command.name));
  }
  return text;
}

std::vector<std::string> FlagsWithValue(const std::vector<CommandWords>& commands) {
  std::vector<std::string> flags;
  for (const CommandWords& command : commands) {
    for (const OptionWords& option : command.options) {
      if (option.value.empty()) continue;
      for (const std::string& flag : option.flags)
        if (std::find(flags.begin(), flags.end(), flag) == flags.end()) flags.push_back(flag);
    }
  }
  return flags;
}

std::string ValueBranch(const std::vector<CommandWords>& commands) {
  return fmt::format("      {}) skip=yes ;;\n", fmt::join(FlagsWithValue(commands), " | "));
}

std::string OfferCase(const CommandWords& command) {
  std::string branches;
  for (const OptionWords& option : command.options) {
    if (option.value.empty()) continue;
    branches += fmt::format("        {}) offer={} ;;\n", fmt::join(option.flags, " | "),
                            PosixQuoted(option.value));
  }
  return branches.empty() ? "" : "      case \"$previous\" in\n" + branches + "      esac\n";
}

std::vector<std::string> QuotedPlaces(const CommandWords& command) {
  std::vector<std::string> places;
  for (size_t i = 0; i < command.places.size(); ++i) {
    const bool repeats = command.last_place_repeats && i + 1 == command.places.size();
    places.push_back(PosixQuoted(command.places[i] + (repeats ? "+" : "")));
  }
  return places;
}

}  // namespace statelib::cli
