// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_MODEL_FACTS_H_
#define STATELIB_CLI_MODEL_FACTS_H_

#include "cli/command.h"
#include "statestore/library/models.h"

namespace statelib::cli {

/// {"name", "fingerprint", "architecture", "summary", "path", "tokenizer", "present", "default",
/// "states", "size_bytes", "weights", "prompt", "description", "added_at"}; prompt: {"question",
/// "stop", "refusal", "set", "problem"}, of which those in "set" were set here; description:
/// {"layers", "hidden_size", "vocabulary_size", "parameters", "state_bytes", "weights": [{"type",
/// "tensors", "elements", "bytes"}]}, or null.
Json ModelJson(const library::ModelDetails& model);

/// The same as lines.
void PrintModel(const Context& context, const library::ModelDetails& model);
/// Of these the ones about how a question is put to it.
void PrintPrompt(const Context& context, const library::ModelDetails& model);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_MODEL_FACTS_H_
