// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include "cli/completion.h"

namespace statelib::cli {

namespace {

// Names hold colons, at which bash cuts words: they are put together again first, and what stands
// before the last colon is taken off what is offered.
constexpr const char* kBegin =
    "# bash completion for statelib; use: source <(statelib completion bash)\n"
    "_statelib() {\n"
    "  local typed=() i word glue=\n"
    "  for ((i = 1; i <= COMP_CWORD; i++)); do\n"
    "    word=${COMP_WORDS[i]}\n"
    "    if [[ ${#typed[@]} -gt 0 && ( -n $glue || $word == :* ) ]]; then\n"
    "      typed[${#typed[@]}-1]+=$word\n"
    "    else\n"
    "      typed+=(\"$word\")\n"
    "    fi\n"
    "    glue=; [[ $word == *: ]] && glue=yes\n"
    "  done\n"
    "  local count=$((${#typed[@]} - 1))\n"
    "  local current=${typed[count]} previous=\n"
    "  [[ $count -gt 0 ]] && previous=${typed[count-1]}\n"
    "  [[ $previous == '=' && $count -gt 1 ]] && previous=${typed[count-2]}\n"
    "  [[ $current == '=' ]] && previous=${typed[count-1]} current=\n"
    "  local command= options= words= offer= place=0 skip= places=()\n"
    "  for word in \"${typed[@]:0:count}\"; do\n"
    "    [[ -n $skip ]] && { skip=; continue; }\n"
    "    case \"$command $word\" in\n";

constexpr const char* kEnd =
    "  if [[ -z $offer && $current == -* ]]; then offer=\"=$options\"; fi\n"
    "  if [[ -z $offer && -n $words ]]; then offer=\"=$words\"; fi\n"
    "  if [[ -z $offer && ${#places[@]} -gt 0 ]]; then\n"
    "    [[ $place -ge ${#places[@]} && ${places[${#places[@]}-1]} == *+ ]] && "
    "place=$((${#places[@]} - 1))\n"
    "    [[ $place -lt ${#places[@]} ]] && offer=${places[place]%+}\n"
    "  fi\n"
    "  local IFS=$'\\n' found=\n"
    "  case \"$offer\" in\n"
    "    '' | none) COMPREPLY=(); return ;;\n"
    "    =*) found=${offer#=}; found=${found// /$'\\n'} ;;\n"
    "    files) ;;\n"
    "    *) found=$(statelib completion --words \"$offer\" 2>/dev/null) ;;\n"
    "  esac\n"
    "  COMPREPLY=($(compgen -W \"$found\" -- \"$current\"))\n"
    "  case \"$offer\" in\n"
    "    files | models | remotes)\n"
    "      COMPREPLY+=($(compgen -f -- \"$current\"))\n"
    "      compopt -o filenames 2>/dev/null ;;\n"
    "  esac\n"
    "  if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then\n"
    "    local before=${current%\"${current##*:}\"}\n"
    "    COMPREPLY=(\"${COMPREPLY[@]#\"$before\"}\")\n"
    "  fi\n"
    "}\n"
    "complete -F _statelib statelib\n";

std::string CaseOf(const CommandWords& command) {
  std::vector<std::string> flags;
  for (const OptionWords& option : command.options)
    flags.insert(flags.end(), option.flags.begin(), option.flags.end());
  return fmt::format("    {})\n      options={} words={} places=({})\n{}      ;;\n",
                     PosixQuoted(command.name),
                     PosixQuoted(fmt::format("{}", fmt::join(flags, " "))),
                     PosixQuoted(fmt::format("{}", fmt::join(command.subcommands, " "))),
                     fmt::join(QuotedPlaces(command), " "), OfferCase(command));
}

}  // namespace

std::string BashCompletion(const std::vector<CommandWords>& commands) {
  std::string script = kBegin + CommandBranches(commands);
  script +=
      "    esac\n"
      "    case \"$word\" in\n" +
      ValueBranch(commands) +
      "      -?*) ;;\n"
      "      *) place=$((place + 1)) ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$command\" in\n";
  for (const CommandWords& command : commands) script += CaseOf(command);
  return script + "  esac\n" + kEnd;
}

}  // namespace statelib::cli
