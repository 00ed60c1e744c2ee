// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include "cli/completion.h"

namespace statelib::cli {

namespace {

constexpr const char* kBegin =
    "#compdef statelib\n"
    "# zsh completion for statelib; use: statelib completion zsh > a folder of $fpath/_statelib\n"
    "_statelib() {\n"
    "  local command= word previous=${words[CURRENT-1]} offer= skip=\n"
    "  local -i place=0\n"
    "  local -a commands options places\n"
    "  for word in \"${(@)words[2,CURRENT-1]}\"; do\n"
    "    if [[ -n $skip ]]; then skip=; continue; fi\n"
    "    case \"$command $word\" in\n";

constexpr const char* kEnd =
    "  if [[ -z $offer && $PREFIX == -* ]]; then _describe -o option options; return; fi\n"
    "  if [[ -z $offer && $#commands -gt 0 ]]; then _describe command commands; return; fi\n"
    "  if [[ -z $offer && $#places -gt 0 ]]; then\n"
    "    if (( place >= $#places )) && [[ $places[-1] == *+ ]]; then place=$(( $#places - 1 )); "
    "fi\n"
    "    (( place < $#places )) && offer=${places[place+1]%+}\n"
    "  fi\n"
    "  case \"$offer\" in\n"
    "    '' | none) return ;;\n"
    "    =*) compadd -- ${=offer#=} ;;\n"
    "    files) _files ;;\n"
    "    *)\n"
    "      compadd -- ${(f)\"$(statelib completion --words $offer 2>/dev/null)\"}\n"
    "      [[ $offer == models || $offer == remotes ]] && _files ;;\n"
    "  esac\n"
    "}\n"
    "if [[ $funcstack[1] == _statelib ]]; then _statelib \"$@\"; else compdef _statelib "
    "statelib; fi\n";

/// A word and what it means, as _describe takes them.
std::string Described(const std::string& word, const std::string& meaning) {
  std::string escaped;
  for (const char c : word) escaped += c == ':' ? "\\:" : std::string(1, c);
  return PosixQuoted(escaped + ":" + meaning);
}

std::string CaseOf(const CommandWords& command, const std::vector<CommandWords>& commands) {
  std::string text = fmt::format("    {})\n", PosixQuoted(command.name));
  const std::string prefix = command.name.empty() ? "" : command.name + " ";
  for (const CommandWords& sub : commands) {
    if (!sub.name.starts_with(prefix) || sub.name.size() <= prefix.size()) continue;
    const std::string word = sub.name.substr(prefix.size());
    if (word.find(' ') == std::string::npos)
      text += fmt::format("      commands+=({})\n", Described(word, sub.summary));
  }
  for (const OptionWords& option : command.options)
    for (const std::string& flag : option.flags)
      text += fmt::format("      options+=({})\n", Described(flag, option.description));
  for (const std::string& place : QuotedPlaces(command))
    text += fmt::format("      places+=({})\n", place);
  return text + OfferCase(command) + "      ;;\n";
}

}  // namespace

std::string ZshCompletion(const std::vector<CommandWords>& commands) {
  std::string script = kBegin + CommandBranches(commands);
  script +=
      "    esac\n"
      "    case \"$word\" in\n" +
      ValueBranch(commands) +
      "      -?*) ;;\n"
      "      *) place=$(( place + 1 )) ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$command\" in\n";
  for (const CommandWords& command : commands) script += CaseOf(command, commands);
  return script + "  esac\n" + kEnd;
}

}  // namespace statelib::cli
