// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/completion.h"

namespace statelib::cli {

namespace {

/// What fish runs or takes for an offer, as the value of -a; "" for none and for files alone.
std::string ListOf(const Offer& offer) {
  if (offer.starts_with("=")) return FishQuoted(offer.substr(1));
  if (offer == "none" || offer == "files") return "";
  return FishQuoted("(statelib completion --words " + offer + " 2>/dev/null)");
}

bool TakesFiles(const Offer& offer) {
  return offer == "files" || offer == "models" || offer == "remotes";
}

void AddPlaces(const CommandWords& command, std::string& script) {
  for (size_t i = 0; i < command.places.size(); ++i) {
    const bool repeats = command.last_place_repeats && i + 1 == command.places.size();
    const std::string condition = FishQuoted(
        fmt::format("__statelib_at \"{}\" {}{}", command.name, i, repeats ? " more" : ""));
    const Offer& offer = command.places[i];
    if (const std::string list = ListOf(offer); !list.empty())
      script += fmt::format("complete -c statelib -n {} -a {}\n", condition, list);
    if (TakesFiles(offer)) script += fmt::format("complete -c statelib -n {} -F\n", condition);
  }
}

void AddOptions(const CommandWords& command, const std::string& prefix, std::string& script) {
  for (const OptionWords& option : command.options) {
    script += prefix;
    for (const std::string& flag : option.flags)
      script += flag.starts_with("--") ? " -l " + flag.substr(2) : " -s " + flag.substr(1);
    if (!option.value.empty()) script += TakesFiles(option.value) ? " -rF" : " -x";
    if (const std::string list = ListOf(option.value); !option.value.empty() && !list.empty())
      script += " -a " + list;
    script += " -d " + FishQuoted(option.description) + "\n";
  }
}

}  // namespace

std::string FishCompletion(const std::vector<CommandWords>& commands) {
  std::string script =
      "# fish completion for statelib; use: statelib completion fish | source\n"
      "# Sets statelib_command, and statelib_place to how many arguments stand before the word.\n"
      "function __statelib_read\n"
      "    set -g statelib_command ''\n"
      "    set -g statelib_place 0\n"
      "    set -l skip ''\n"
      "    for word in (commandline -opc)[2..-1]\n"
      "        if test -n \"$skip\"\n"
      "            set skip ''\n"
      "            continue\n"
      "        end\n"
      "        switch \"$statelib_command $word\"\n";
  for (const CommandWords& command : commands) {
    if (command.name.empty()) continue;
    const bool top = command.name.find(' ') == std::string::npos;
    script += fmt::format(
        "            case {}\n                set -g statelib_command {}\n                "
        "continue\n",
        FishQuoted(top ? " " + command.name : command.name), FishQuoted(command.name));
  }
  script += fmt::format(
      "        end\n"
      "        switch \"$word\"\n"
      "            case {}\n"
      "                set skip yes\n"
      "            case -\n"
      "                set -g statelib_place (math $statelib_place + 1)\n"
      "            case '-*'\n"
      "            case '*'\n"
      "                set -g statelib_place (math $statelib_place + 1)\n"
      "        end\n"
      "    end\n"
      "end\n"
      "function __statelib_command\n"
      "    __statelib_read\n"
      "    test \"$statelib_command\" = \"$argv[1]\"\n"
      "end\n"
      "function __statelib_at\n"
      "    __statelib_command $argv[1]; or return 1\n"
      "    test $statelib_place -eq $argv[2]; and return 0\n"
      "    test (count $argv) -gt 2; and test $statelib_place -gt $argv[2]\n"
      "end\n"
      "complete -c statelib -f\n",
      fmt::join(FlagsWithValue(commands), " "));
  for (const CommandWords& command : commands) {
    const std::string condition = FishQuoted("__statelib_command \"" + command.name + "\"");
    const std::string prefix = fmt::format("complete -c statelib -n {}", condition);
    for (const std::string& sub : command.subcommands) {
      const std::string full = command.name.empty() ? sub : command.name + " " + sub;
      const auto described = std::find_if(commands.begin(), commands.end(),
                                          [&](const CommandWords& c) { return c.name == full; });
      script += fmt::format("{} -a {} -d {}\n", prefix, sub, FishQuoted(described->summary));
    }
    AddPlaces(command, script);
    AddOptions(command, prefix, script);
  }
  return script;
}

}  // namespace statelib::cli
