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

/// What --model and --tokenizer say; empty where they were not given.
struct ModelChoice {
  std::string model;
  std::string tokenizer;
};

/// --tokenizer.
void AddTokenizerOption(Declaration& declaration, std::string& tokenizer);
/// --model and --tokenizer.
void AddModelOptions(Declaration& declaration, ModelChoice& choice);

/// Which model to use: --model, else the one that `state` needs, else the library's default, else
/// `model` of the settings, else the demo model; and with which tokenizer: --tokenizer, else the
/// one that the library remembers for it. `library` and `state` may be null. Errors: those of
/// library::ChooseModel.
library::ModelPlace ChooseModel(const Context& context, const library::Library* library,
                                const ModelChoice& choice, const storage::ResolvedState* state);

/// The model that comes with the program. It always answers to its name.
library::ModelPlace EmbeddedModel();

/// The model that would be chosen, ready; on a terminal with progress, for the first time every
/// weight of a model is read and packed. Errors: those of ChooseModel and library::LoadModel.
library::LoadedModel LoadChosenModel(Context& context, library::Library& library,
                                     const ModelChoice& choice, const storage::ResolvedState* state,
                                     const engine::RuntimeOptions& options,
                                     library::Trust trust = library::Trust::kStamp);

/// The model that would be chosen, loaded when it is first needed, if at all. One thread.
class ModelWhenNeeded {
 public:
  /// All arguments but the last two outlive the object.
  ModelWhenNeeded(Context& context, library::Library& library, ModelChoice choice,
                  engine::RuntimeOptions options);

  /// What its states have in common; it is only loaded where the library cannot tell. Errors:
  /// kNotFound for a choice that is none; those of Get() where it has to be loaded.
  const library::ModelKey& Key();
  /// Errors: those of LoadChosenModel.
  const library::LoadedModel& Get();

 private:
  Context& context_;
  library::Library& library_;
  ModelChoice choice_;
  engine::RuntimeOptions options_;
  std::optional<library::ModelKey> key_;
  std::optional<library::LoadedModel> model_;
};

/// --as, for commands that go on from a state.
void AddResultOption(Declaration& declaration, std::string& target);
/// What the result of such a command is called: --as, else the name of `base`, which the user gave
/// as `given`. Errors: kInvalidArgument for a state that was given by its id, without --as.
storage::Reference ResultReference(const storage::ResolvedState& base, const std::string& given,
                                   const std::string& target);

/// A place's tokenizer without its model. Errors: those of Runtime::OpenTokenizer.
std::unique_ptr<tokenizer::Tokenizer> OpenTokenizer(const library::ModelPlace& place);
/// The tokenizer of the model that would be chosen. Errors: those of ChooseModel and OpenTokenizer.
std::unique_ptr<tokenizer::Tokenizer> LoadTokenizer(const Context& context,
                                                    const ModelChoice& choice);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_LIBRARY_ACCESS_H_
