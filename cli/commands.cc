// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"

namespace statelib::cli {

namespace {

constexpr CommandDescription kCommands[] = {
    {"tokenize", "Tools", "Turn text into token ids", MakeTokenizeCommand},
    {"detokenize", "Tools", "Turn token ids into text", MakeDetokenizeCommand},
    {"completion", "Tools", "Print a completion script for a shell", MakeCompletionCommand},
};

}  // namespace

std::span<const CommandDescription> AllCommands() { return kCommands; }

}  // namespace statelib::cli
