// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <string_view>

namespace statelib::cli {

namespace {

WordKind KindOf(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) return WordKind::kNone;
  const std::string type = option.get_type_name();
  if (type.starts_with("NAME")) return WordKind::kStateName;
  if (type.starts_with("FILE") || type.starts_with("DIR")) return WordKind::kFile;
  return WordKind::kText;
}

void Describe(const CLI::App& app, const std::string& name, std::vector<CommandWords>& commands) {
  CommandWords words;
  words.name = name;
  words.summary = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    const WordKind kind = KindOf(*option);
    if (option->get_positional()) {
      words.takes_state_names |= kind == WordKind::kStateName;
      words.takes_files |= kind == WordKind::kFile;
      continue;
    }
    OptionWords option_words{{}, option->get_description(), kind};
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

// 'text' as one word of any of the three shells.
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

std::string PosixQuoted(std::string_view text) { return Quoted(text, "'\\''"); }
std::string FishQuoted(std::string_view text) { return Quoted(text, "\\'"); }

std::vector<std::string> FlagsOf(const CommandWords& command) {
  std::vector<std::string> flags;
  for (const OptionWords& option : command.options)
    flags.insert(flags.end(), option.flags.begin(), option.flags.end());
  return flags;
}

// The flags of all commands whose value is of one kind: what the previous word tells.
std::string FlagsWithValue(const std::vector<CommandWords>& commands, WordKind kind) {
  std::vector<std::string> flags;
  for (const CommandWords& command : commands) {
    for (const OptionWords& option : command.options) {
      if (option.value != kind) continue;
      for (const std::string& flag : option.flags)
        if (std::find(flags.begin(), flags.end(), flag) == flags.end()) flags.push_back(flag);
    }
  }
  return flags.empty() ? "--" : fmt::format("{}", fmt::join(flags, "|"));
}

}  // namespace

std::vector<CommandWords> DescribeCommands(const CLI::App& root) {
  std::vector<CommandWords> commands;
  Describe(root, "", commands);
  return commands;
}

std::string BashCompletion(const std::vector<CommandWords>& commands) {
  std::string script =
      "# bash completion for statelib; use: source <(statelib completion bash)\n"
      "_statelib() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local command= word options= words= names=\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"$command $word\" in\n";
  for (const CommandWords& command : commands) {
    const size_t space = command.name.find(' ');
    if (command.name.empty()) continue;
    const std::string pattern = space == std::string::npos ? " " + command.name : command.name;
    script +=
        fmt::format("      {}) command={} ;;\n", PosixQuoted(pattern), PosixQuoted(command.name));
  }
  script +=
      "    esac\n"
      "  done\n"
      "  case \"$command\" in\n";
  for (const CommandWords& command : commands)
    script += fmt::format("    {}) options={} words={} names={} ;;\n", PosixQuoted(command.name),
                          PosixQuoted(fmt::format("{}", fmt::join(FlagsOf(command), " "))),
                          PosixQuoted(fmt::format("{}", fmt::join(command.subcommands, " "))),
                          command.takes_state_names ? "yes" : "");
  script += fmt::format(
      "  esac\n"
      "  case \"$previous\" in\n"
      "    {}) COMPREPLY=(); return ;;\n"
      "    {}) options= words= names=yes ;;\n"
      "    {}) options= words= names= ;;\n"
      "  esac\n"
      "  [ -z \"$names\" ] || words=\"$words $(statelib list --quiet 2>/dev/null)\"\n"
      "  case \"$current\" in -*) words=$options ;; esac\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
      "}}\n"
      "complete -o bashdefault -o default -F _statelib statelib\n",
      FlagsWithValue(commands, WordKind::kText), FlagsWithValue(commands, WordKind::kStateName),
      FlagsWithValue(commands, WordKind::kFile));
  return script;
}

std::string ZshCompletion(const std::vector<CommandWords>& commands) {
  std::string script =
      "#compdef statelib\n"
      "# zsh completion for statelib; use: statelib completion zsh > a folder of $fpath/_statelib\n"
      "_statelib() {\n"
      "  local command= word previous=${words[CURRENT-1]}\n"
      "  local -a candidates options\n"
      "  local names= files=\n"
      "  for word in ${words[2,CURRENT-1]}; do\n"
      "    case \"$command $word\" in\n";
  for (const CommandWords& command : commands) {
    if (command.name.empty()) continue;
    const bool top = command.name.find(' ') == std::string::npos;
    script += fmt::format("      {}) command={} ;;\n",
                          PosixQuoted(top ? " " + command.name : command.name),
                          PosixQuoted(command.name));
  }
  script +=
      "    esac\n"
      "  done\n"
      "  case \"$command\" in\n";
  for (const CommandWords& command : commands) {
    script += fmt::format("    {})\n", PosixQuoted(command.name));
    for (const CommandWords& sub : commands) {
      const std::string prefix = command.name.empty() ? "" : command.name + " ";
      if (!sub.name.starts_with(prefix) || sub.name.size() <= prefix.size()) continue;
      const std::string word = sub.name.substr(prefix.size());
      if (word.find(' ') != std::string::npos) continue;
      script += fmt::format("      candidates+=({})\n", PosixQuoted(word + ":" + sub.summary));
    }
    for (const OptionWords& option : command.options)
      for (const std::string& flag : option.flags)
        script +=
            fmt::format("      options+=({})\n", PosixQuoted(flag + ":" + option.description));
    script += fmt::format("      names={} files={} ;;\n", command.takes_state_names ? "yes" : "",
                          command.takes_files ? "yes" : "");
  }
  script += fmt::format(
      "  esac\n"
      "  case \"$previous\" in\n"
      "    {}) return ;;\n"
      "    {}) candidates=() options=() names=yes files= ;;\n"
      "    {}) candidates=() options=() names= files=yes ;;\n"
      "  esac\n"
      "  [[ -n $names ]] && compadd -- ${{(f)\"$(statelib list --quiet 2>/dev/null)\"}}\n"
      "  [[ -n $files ]] && _files\n"
      "  (( $#candidates )) && _describe command candidates\n"
      "  [[ $PREFIX == -* ]] && (( $#options )) && _describe -o option options\n"
      "}}\n"
      "if [[ $funcstack[1] == _statelib ]]; then _statelib \"$@\"; else compdef _statelib "
      "statelib; fi\n",
      FlagsWithValue(commands, WordKind::kText), FlagsWithValue(commands, WordKind::kStateName),
      FlagsWithValue(commands, WordKind::kFile));
  return script;
}

std::string FishCompletion(const std::vector<CommandWords>& commands) {
  std::string script =
      "# fish completion for statelib; use: statelib completion fish | source\n"
      "function __statelib_command\n"
      "    set -l command ''\n"
      "    for word in (commandline -opc)[2..-1]\n"
      "        switch \"$command $word\"\n";
  for (const CommandWords& command : commands) {
    if (command.name.empty()) continue;
    const bool top = command.name.find(' ') == std::string::npos;
    script +=
        fmt::format("            case {}\n                set command {}\n",
                    FishQuoted(top ? " " + command.name : command.name), FishQuoted(command.name));
  }
  script +=
      "        end\n"
      "    end\n"
      "    test \"$command\" = \"$argv[1]\"\n"
      "end\n"
      "complete -c statelib -f\n";
  for (const CommandWords& command : commands) {
    const std::string condition = FishQuoted("__statelib_command \"" + command.name + "\"");
    const std::string prefix = fmt::format("complete -c statelib -n {}", condition);
    for (const std::string& sub : command.subcommands) {
      const std::string full = command.name.empty() ? sub : command.name + " " + sub;
      const auto described = std::find_if(commands.begin(), commands.end(),
                                          [&](const CommandWords& c) { return c.name == full; });
      script += fmt::format("{} -a {} -d {}\n", prefix, sub, FishQuoted(described->summary));
    }
    if (command.takes_state_names) script += prefix + " -a '(statelib list --quiet 2>/dev/null)'\n";
    if (command.takes_files) script += prefix + " -F\n";
    for (const OptionWords& option : command.options) {
      script += prefix;
      for (const std::string& flag : option.flags)
        script += flag.starts_with("--") ? " -l " + flag.substr(2) : " -s " + flag.substr(1);
      if (option.value == WordKind::kFile) script += " -rF";
      if (option.value == WordKind::kText) script += " -x";
      if (option.value == WordKind::kStateName)
        script += " -xa '(statelib list --quiet 2>/dev/null)'";
      script += " -d " + FishQuoted(option.description) + "\n";
    }
  }
  return script;
}

}  // namespace statelib::cli
