// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_COMPLETION_H_
#define STATELIB_CLI_COMPLETION_H_

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace statelib::cli {

/// What a shell offers after a word: names of states, files, or nothing.
enum class WordKind { kNone, kText, kStateName, kFile };

struct OptionWords {
  std::vector<std::string> flags;    ///< "--model", "-o"
  std::string description;           ///< one line
  WordKind value = WordKind::kNone;  ///< kNone for a switch
};

/// One command as a completion script sees it.
struct CommandWords {
  std::string name;  ///< "ingest", "model add"; empty for statelib itself
  std::string summary;
  std::vector<std::string> subcommands;
  std::vector<OptionWords> options;
  bool takes_state_names = false;
  bool takes_files = false;
};

/// statelib itself and every command below it, from the application's own declarations.
std::vector<CommandWords> DescribeCommands(const CLI::App& root);

// A script for each shell, to be sourced or put where the shell looks for completions.
std::string BashCompletion(const std::vector<CommandWords>& commands);
std::string ZshCompletion(const std::vector<CommandWords>& commands);
std::string FishCompletion(const std::vector<CommandWords>& commands);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_COMPLETION_H_
