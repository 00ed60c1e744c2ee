// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CLI_PROCESS_H_
#define STATELIB_TESTS_CLI_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace statelib::cli {

/// How a program ended and what it wrote.
struct ProcessResult {
  std::string out;
  std::string err;     ///< empty on a terminal, where both streams are one
  int exit_code = -1;  ///< -1 when a signal ended it
  int signal = 0;
};

struct ProcessOptions {
  /// For standard input, which then ends. On a terminal it is typed, a few lines at most, and
  /// echoed, and the input stays open.
  std::string input;
  /// Changes to the environment; an empty value removes the variable.
  std::map<std::string, std::string> environment;
  std::string working_directory;
  /// Where standard output goes instead of being collected.
  std::string out_path;
  bool terminal = false;  ///< a pseudo-terminal of 100 columns for all three streams
  /// Called in the child before the program starts, to set limits.
  std::function<void()> before_start;
  /// Called for every piece of output as it comes, with the process to send signals to. Of the two
  /// streams only what came from standard error where it is no terminal.
  std::function<void(pid_t, std::string_view)> on_output;
  /// Called once, when the process runs.
  std::function<void(pid_t)> on_start;
};

/// Runs a program to its end. Throws std::runtime_error when it cannot be started.
ProcessResult RunProgram(const std::vector<std::string>& command,
                         const ProcessOptions& options = {});

/// Runs the statelib of this build. STATELIB_HOME and the XDG variables are unset unless given.
ProcessResult RunStatelib(const std::vector<std::string>& arguments, ProcessOptions options = {});

}  // namespace statelib::cli

#endif  // STATELIB_TESTS_CLI_PROCESS_H_
