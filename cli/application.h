// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_APPLICATION_H_
#define STATELIB_CLI_APPLICATION_H_

#include <CLI/CLI.hpp>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/commands.h"

namespace statelib::cli {

/// The command line: parses arguments against the table of commands and runs the one that was
/// named. One thread, one Run().
class Application {
 public:
  Application(Output& out, Output& err, const Environment& environment, const CancelFlag& cancel,
              std::chrono::steady_clock::time_point started_at);

  /// Errors: kInvalidArgument with advice for what cannot be parsed; those of the command.
  void Run(int argc, const char* const* argv);

  /// Whether errors are to be printed as JSON. Also right when the arguments could not be parsed.
  bool wants_json() const { return wants_json_; }
  /// What was said and is in no document yet.
  Notes& notes() { return notes_; }
  /// What the program is to exit with after Run().
  int exit_code() const { return exit_code_; }

 private:
  struct Entry {
    CLI::App* app;
    std::unique_ptr<Command> command;
  };

  void AddCommand(const CommandDescription& description);
  /// Of the command that is named, for those of all take as long as the rest of a start; of all
  /// where that command, or none, is to say what others take.
  void DeclareOptions(std::span<const std::string> arguments);
  CLI::App& GroupFor(const CommandDescription& description, std::string& name);
  bool Parse(int argc, const char* const* argv);
  /// Reads the user's settings, and gives a command's options those that were not on its line.
  void TakeSettings(CLI::App& app);

  Output& out_;
  Output& err_;
  const Environment& environment_;
  const CancelFlag& cancel_;
  std::chrono::steady_clock::time_point started_at_;
  SharedOptions shared_;
  Notes notes_;
  Settings settings_;
  CLI::App root_;
  std::vector<Entry> entries_;
  bool wants_json_ = false;
  int exit_code_ = 0;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_APPLICATION_H_
