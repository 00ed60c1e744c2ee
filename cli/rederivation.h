// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_REDERIVATION_H_
#define STATELIB_CLI_REDERIVATION_H_

#include "cli/command.h"
#include "statestore/library/proof.h"

namespace statelib::cli {

/// What reading a state's tokens again gave, as lines or as JSON.
void PrintRederivation(const Context& context, const library::Rederivation& found);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_REDERIVATION_H_
