// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

namespace statelib::cli {

namespace {

constexpr CommandDescription kCommands[] = {
    {"completion", "Tools", "Print a completion script for a shell", MakeCompletionCommand},
};

}  // namespace

std::span<const CommandDescription> AllCommands() { return kCommands; }

}  // namespace statelib::cli
