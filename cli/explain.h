// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_EXPLAIN_H_
#define STATELIB_CLI_EXPLAIN_H_

#include "cli/command.h"
#include "core/engine/runtime.h"
#include "statestore/library/models.h"

// What -v says: what was chosen and why. Each is one note, and nothing without -v.
namespace statelib::cli {

/// "library: /home/me/books ($STATELIB_HOME)".
void ExplainLibrary(const Context& context);
/// "model: demo in /usr/share/… (the state was made with it)".
void ExplainModel(const Context& context, const library::ModelPlace& place);
/// "remote: share (`remote` of the settings)".
void ExplainRemote(const Context& context, const std::string& remote);
/// "computing: cpu avx2, 8 threads; weights f32; profile exact-f32-r1".
void ExplainRuntime(const Context& context, const engine::Runtime& runtime);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_EXPLAIN_H_
