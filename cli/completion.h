// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_COMPLETION_H_
#define STATELIB_CLI_COMPLETION_H_

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace statelib::cli {

/// What a shell offers for a word, as completion scripts name it: "states", "models", "remotes",
/// "tags" and "keys", which `statelib completion --words` prints; "files"; "none"; or the words
/// themselves, "=exact bf16 int8".
using Offer = std::string;

struct OptionWords {
  std::vector<std::string> flags;  ///< "--model", "-o"
  std::string description;         ///< one line
  Offer value;                     ///< "" for a switch
};

/// One command as a completion script sees it.
struct CommandWords {
  std::string name;  ///< "ingest", "model add"; empty for statelib itself
  std::string summary;
  std::vector<std::string> subcommands;
  std::vector<OptionWords> options;
  std::vector<Offer> places;        ///< of the arguments, in order
  bool last_place_repeats = false;  ///< the last argument takes all words that remain
};

/// statelib itself and every command below it, from the application's own declarations.
std::vector<CommandWords> DescribeCommands(const CLI::App& root);

/// The text as one word of a POSIX shell, and of fish.
std::string PosixQuoted(std::string_view text);
std::string FishQuoted(std::string_view text);
/// The flags of all commands that take a value: the word after them is no argument.
std::vector<std::string> FlagsWithValue(const std::vector<CommandWords>& commands);

// What the scripts of POSIX-like shells have in common.

/// The branches of a case that takes "COMMAND_SO_FAR WORD" and sets `command`.
std::string CommandBranches(const std::vector<CommandWords>& commands);
/// The branch before the other words, of those after which comes a value and no argument.
std::string ValueBranch(const std::vector<CommandWords>& commands);
/// The case that sets `offer` where the previous word wants a value; "" where none does.
std::string OfferCase(const CommandWords& command);
/// The command's places, quoted; the last one with a + where it repeats.
std::vector<std::string> QuotedPlaces(const CommandWords& command);

// A script for each shell, to be sourced or put where the shell looks for completions.
std::string BashCompletion(const std::vector<CommandWords>& commands);
std::string ZshCompletion(const std::vector<CommandWords>& commands);
std::string FishCompletion(const std::vector<CommandWords>& commands);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_COMPLETION_H_
