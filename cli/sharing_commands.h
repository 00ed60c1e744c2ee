// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SHARING_COMMANDS_H_
#define STATELIB_CLI_SHARING_COMMANDS_H_

#include <memory>

#include "cli/command.h"

// The commands that exchange states with remotes, one function a file in cli/commands/.
namespace statelib::cli {

std::unique_ptr<Command> MakeLsRemoteCommand();
std::unique_ptr<Command> MakePullCommand();
std::unique_ptr<Command> MakePushCommand();
std::unique_ptr<Command> MakeRemoteAddCommand();
std::unique_ptr<Command> MakeRemoteListCommand();
std::unique_ptr<Command> MakeRemoteRmCommand();
std::unique_ptr<Command> MakeServeCommand();

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SHARING_COMMANDS_H_
