// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_COMMANDS_H_
#define STATELIB_CLI_COMMANDS_H_

#include <memory>
#include <span>

#include "cli/command.h"

namespace statelib::cli {

/// One line of the table of commands. Texts are static.
struct CommandDescription {
  const char* name;     ///< "ingest"; "model add" stands under a command `model`
  const char* group;    ///< the heading in `statelib --help`
  const char* summary;  ///< one line for lists and for the command's own help
  std::unique_ptr<Command> (*make)();
  const char* parent_summary = "";  ///< of the first word, where the name has two
};

/// Every command, in the order of `statelib --help`.
std::span<const CommandDescription> AllCommands();

// One function a file in cli/commands/.
std::unique_ptr<Command> MakeCompletionCommand();
std::unique_ptr<Command> MakeDetokenizeCommand();
std::unique_ptr<Command> MakeTokenizeCommand();

}  // namespace statelib::cli

#endif  // STATELIB_CLI_COMMANDS_H_
