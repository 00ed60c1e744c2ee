// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_MODEL_CHOICE_H_
#define STATELIB_CLI_MODEL_CHOICE_H_

#include <memory>
#include <string>

#include "cli/command.h"
#include "core/tokenizer/tokenizer.h"

namespace statelib::cli {

/// --model, and --library, which knows the names of models.
void AddModelOption(CLI::App& app, SharedOptions& shared, std::string& model);

/// The tokenizer of a model: a folder, a tokenizer.json, or the demo model for an empty `model`.
/// Errors: kNotFound, and those of Tokenizer::Load.
std::unique_ptr<tokenizer::Tokenizer> LoadTokenizer(const Context& context,
                                                    const std::string& model);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_MODEL_CHOICE_H_
