// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_LIBRARY_ACCESS_H_
#define STATELIB_CLI_LIBRARY_ACCESS_H_

#include <memory>
#include <optional>
#include <string>

#include "cli/command.h"
#include "core/tokenizer/tokenizer.h"
#include "statestore/library/library.h"
#include "statestore/library/models.h"

namespace statelib::cli {

/// The library that --library or the environment names. Errors: those of Library::Open.
library::Library OpenLibrary(const Context& context, library::Library::Access access);
/// The same for reading, or nothing where no library is yet.
std::optional<library::Library> OpenLibraryIfThere(const Context& context);

/// --model.
void AddModelOption(Declaration& declaration, std::string& model);

/// Which model to use: --model, else the one that `state` needs, else the library's default, else
/// the demo model. `library` and `state` may be null. Errors: those of library::ChooseModel.
library::ModelPlace ChooseModel(const library::Library* library, const std::string& model,
                                const storage::ResolvedState* state);

/// The tokenizer of that model; `model` may also be the path of a tokenizer.json. Errors: those of
/// Tokenizer::Load too.
std::unique_ptr<tokenizer::Tokenizer> LoadTokenizer(const Context& context,
                                                    const std::string& model);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_LIBRARY_ACCESS_H_
