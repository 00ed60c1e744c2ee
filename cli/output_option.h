// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_OUTPUT_OPTION_H_
#define STATELIB_CLI_OUTPUT_OPTION_H_

#include <string>

#include "cli/command.h"

namespace statelib::cli {

/// For a command that writes a file: where it says what it did. That is standard output, but
/// standard error where the file itself is standard output ("-", /dev/stdout). Errors:
/// kInvalidArgument for "-" on a terminal.
Context ContextBeside(const Context& context, const std::string& file);

/// The file's name for messages.
std::string NameOfOutput(const std::string& file);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_OUTPUT_OPTION_H_
