// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_COMPUTE_OPTIONS_H_
#define STATELIB_CLI_COMPUTE_OPTIONS_H_

#include "cli/declaration.h"
#include "core/engine/runtime.h"

namespace statelib::cli {

/// --weights, --threads, --backend and --instruction-set, for every command that computes. The bits
/// of a result depend on the first alone. The tokenizers that come with the program are made known
/// too.
void AddComputeOptions(Declaration& declaration, engine::RuntimeOptions& options);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_COMPUTE_OPTIONS_H_
