// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_COMMAND_TREE_H_
#define STATELIB_CLI_COMMAND_TREE_H_

#include <span>
#include <string>
#include <vector>

#include "cli/settings.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

// The commands as the argument parser holds them: a tree whose root is statelib.
namespace statelib::cli {

/// "statelib model add".
std::string FullName(const CLI::App& app);
/// The command that was parsed.
const CLI::App& Deepest(const CLI::App& root);
CLI::App& Deepest(CLI::App& root);

/// The command that the words name, as far as they do: it ends at a word with a dash, and where a
/// command has none below it. `root` for no words. Errors: kInvalidArgument for a word that names
/// nothing where a command has to stand, with the nearest that does.
const CLI::App& CommandAt(const CLI::App& root, std::span<const std::string> words);

/// The option of a command whose value a setting is; null where it has none. What one command
/// calls sampling another may not: the heading in help tells.
CLI::Option* OptionOf(CLI::App& app, const SettingDescription& setting);

/// Errors: those of CommandAt; kInvalidArgument for words that end before a command.
void CheckNamesCommand(const CLI::App& root, std::span<const std::string> words);

/// Says what the parser could not place: an option that the command does not have, with the nearest
/// that it has, or a word too many. Errors: kInvalidArgument, if there is such a thing.
void ThrowIfExtra(const CLI::App& root);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_COMMAND_TREE_H_
