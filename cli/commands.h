// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_COMMANDS_H_
#define STATELIB_CLI_COMMANDS_H_

#include <memory>
#include <span>
#include <string_view>

#include "cli/command.h"

namespace statelib::cli {

/// One line of the table of commands. Texts are static.
struct CommandDescription {
  const char* name;     ///< "ingest"; "model add" stands under a command `model`
  const char* group;    ///< the heading in `statelib --help`
  const char* summary;  ///< one line for lists and for the command's own help
  std::unique_ptr<Command> (*make)();
};

/// A first word that several commands share, as `model`. Texts are static.
struct CommandGroup {
  const char* name;
  const char* summary;
  const char* examples;  ///< command lines, one a line
};

/// Every command, in the order of `statelib --help`.
std::span<const CommandDescription> AllCommands();
/// The group of a first word that some name of two words has.
const CommandGroup& GroupNamed(std::string_view name);

// One function a file in cli/commands/.
std::unique_ptr<Command> MakeAppendCommand();
std::unique_ptr<Command> MakeAskCommand();
std::unique_ptr<Command> MakeBenchCommand();
std::unique_ptr<Command> MakeAtCommand();
std::unique_ptr<Command> MakeBranchCommand();
std::unique_ptr<Command> MakeBuildCommand();
std::unique_ptr<Command> MakeCatCommand();
std::unique_ptr<Command> MakeCheckpointBudgetCommand();
std::unique_ptr<Command> MakeCheckpointListCommand();
std::unique_ptr<Command> MakeCheckoutCommand();
std::unique_ptr<Command> MakeCompletionCommand();
std::unique_ptr<Command> MakeConfigGetCommand();
std::unique_ptr<Command> MakeConfigListCommand();
std::unique_ptr<Command> MakeConfigSetCommand();
std::unique_ptr<Command> MakeConfigUnsetCommand();
std::unique_ptr<Command> MakeCpCommand();
std::unique_ptr<Command> MakeDetokenizeCommand();
std::unique_ptr<Command> MakeDiffCommand();
std::unique_ptr<Command> MakeEvalQualityCommand();
std::unique_ptr<Command> MakeExportCommand();
std::unique_ptr<Command> MakeForgetCommand();
std::unique_ptr<Command> MakeGcCommand();
std::unique_ptr<Command> MakeGenerateCommand();
std::unique_ptr<Command> MakeHelpCommand();
std::unique_ptr<Command> MakeImportCommand();
std::unique_ptr<Command> MakeIngestCommand();
std::unique_ptr<Command> MakeInitCommand();
std::unique_ptr<Command> MakeKeyCreateCommand();
std::unique_ptr<Command> MakeKeyListCommand();
std::unique_ptr<Command> MakeKeyRmCommand();
std::unique_ptr<Command> MakeKeyTrustCommand();
std::unique_ptr<Command> MakeListCommand();
std::unique_ptr<Command> MakeLogCommand();
std::unique_ptr<Command> MakeModelAddCommand();
std::unique_ptr<Command> MakeModelCheckCommand();
std::unique_ptr<Command> MakeModelConvertCommand();
std::unique_ptr<Command> MakeModelDefaultCommand();
std::unique_ptr<Command> MakeModelListCommand();
std::unique_ptr<Command> MakeModelRmCommand();
std::unique_ptr<Command> MakeModelSetCommand();
std::unique_ptr<Command> MakeModelShowCommand();
std::unique_ptr<Command> MakeMvCommand();
std::unique_ptr<Command> MakeRecodeCommand();
std::unique_ptr<Command> MakeRmCommand();
std::unique_ptr<Command> MakeSearchCommand();
std::unique_ptr<Command> MakeShowCommand();
std::unique_ptr<Command> MakeStateDumpCommand();
std::unique_ptr<Command> MakeStateLoadCommand();
std::unique_ptr<Command> MakeStatsCommand();
std::unique_ptr<Command> MakeStatusCommand();
std::unique_ptr<Command> MakeTagCommand();
std::unique_ptr<Command> MakeTokenizeCommand();
std::unique_ptr<Command> MakeUndoCommand();
std::unique_ptr<Command> MakeVerifyCommand();
std::unique_ptr<Command> MakeVersionCommand();
std::unique_ptr<Command> MakeRepairCommand();

}  // namespace statelib::cli

#endif  // STATELIB_CLI_COMMANDS_H_
