// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_MODELS_H_
#define STATELIB_STATESTORE_LIBRARY_MODELS_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/runtime.h"
#include "core/model_files/fingerprint.h"
#include "statestore/library/library.h"

namespace statelib::library {

/// Why a model was chosen.
enum class ModelReason {
  kNamed,    ///< the user named it
  kNeeded,   ///< a state was made with it
  kDefault,  ///< it is the library's default
  kSetting,  ///< the user's settings name it
  kFallback  ///< there was nothing else to choose
};

/// Where a model lies and what the library calls it.
struct ModelPlace {
  std::filesystem::path directory;       ///< or the file
  std::string name;                      ///< empty: it has no name yet
  std::filesystem::path tokenizer = {};  ///< a tokenizer.json that it is to use; empty: its own
  std::string weights = {};              ///< the format to hold it in; empty: its own
  std::string profile = {};              ///< of the state that it is chosen for
  /// Of one that the library knows by name, as its default or as what a state needs.
  std::optional<storage::ModelIdentity> known = {};
  ModelReason reason = ModelReason::kNamed;
};

/// Which model to use. In this order: `choice` (the fallback's name, which is always the
/// fallback's, a name that the library knows, else a path); the model that `state` needs, if it is
/// known where it lies or it is the fallback by its name or fingerprint; the library's default;
/// `fallback`. A known model that is no longer where it was is looked for in the fallback's place,
/// for the program's own model moves with the program; its weights may be read for that.
/// `library` may be null: then there are no names and no default.
/// Errors: kNotFound with the names there are; kNotFound for a model whose folder is unknown or
/// gone, with its name, its fingerprint and how to add it.
ModelPlace ChooseModel(const Library* library, const std::string& choice,
                       const storage::ResolvedState* state, const ModelPlace& fallback);
/// The same, also of a known model that is nowhere any more.
ModelPlace FindModel(const Library* library, const std::string& choice,
                     const storage::ResolvedState* state, const ModelPlace& fallback);

/// What all states of a model have in common: equal for equal tokens, their bytes are.
struct ModelKey {
  Digest fingerprint;
  std::string profile;  ///< without what a codec adds

  bool operator==(const ModelKey&) const = default;
};

/// The key of the model at a place, which is not opened: from the library's memory, when no file in
/// its folder has changed since it was last loaded; of a known model that is gone, as it was. Empty
/// where only loading the model can tell. `place` was chosen for no state. Errors: kInvalidArgument
/// for unknown weights.
std::optional<ModelKey> RememberedKey(const Library& library, const ModelPlace& place,
                                      const engine::RuntimeOptions& options);

/// A model that is ready to compute, and its identity. Move-only.
struct LoadedModel {
  std::unique_ptr<engine::Runtime> runtime;
  storage::ModelIdentity identity;
  ModelPlace place;

  ModelKey key() const { return {identity.fingerprint, runtime->profile()}; }
  /// For messages: "demo (mamba, 12 layers, 384 wide, 8192 tokens, fingerprint 0123456789ab)".
  std::string Label() const;
};

/// Opens a model with the tokenizer that its place says, else the one that `options` give; its
/// weights in the format that the options name, else in the one that the state needs that it was
/// chosen for, else in the place's. Errors: those of Runtime::Open.
std::unique_ptr<engine::Runtime> OpenRuntime(const ModelPlace& place,
                                             engine::RuntimeOptions options);

/// What says that a model's files are those that were fingerprinted, and packed, before.
enum class Trust {
  kStamp,   ///< their names, sizes, inodes and times
  kNothing  ///< they are read anew, and nothing that was packed from them is used
};

/// The same, with weights that are packed once for each format and kept beside the library. Finds
/// the fingerprint: from the library's memory when no file in the model's folder has changed since,
/// else by reading every weight once, which is then remembered; `on_progress` is told of that
/// reading and then of the packing. Errors: those of OpenRuntime and ComputeFingerprint.
LoadedModel LoadModel(Library& library, const ModelPlace& place,
                      const engine::RuntimeOptions& options, const CancelFlag* cancel = nullptr,
                      const model_files::HashProgress& on_progress = {},
                      Trust trust = Trust::kStamp);

/// A model as listings show it.
struct ModelDetails {
  storage::ModelRow row;
  bool is_default = false;
  bool is_present = false;        ///< its folder is there
  uint64_t states = 0;            ///< how many states of the library need it
  PromptForm prompt = {};         ///< how a question is put to it
  std::string card_problem = {};  ///< why the card beside its files counts for nothing
};

/// Records where a model lies, what it is called, the tokenizer that it is to use, if one is given,
/// and how its weights are held where no format is asked for (empty: as before, or "auto");
/// computes its fingerprint, and keeps its prompt card. With an empty name the folder's name is
/// taken. Errors: kInvalidArgument (bad or taken name), those of LoadModel and ReadPromptCard.
ModelDetails AddModel(Library& library, const std::filesystem::path& directory,
                      const std::string& name, const engine::TokenizerPlaces& tokenizer = {},
                      const std::string& weights = {}, const CancelFlag* cancel = nullptr,
                      const model_files::HashProgress& on_progress = {});
std::vector<ModelDetails> ListModels(const Library& library);  ///< by name
/// By name, or by the first 6 or more digits of a fingerprint. Errors: kNotFound with the names
/// there are.
ModelDetails ShowModel(const Library& library, const std::string& name);
ModelDetails SetDefaultModel(Library& library, const std::string& name);
/// Lets the fallback of ChooseModel be what is chosen where nobody says.
void UnsetDefaultModel(Library& library);
/// Forgets a model. Of one that states need, only its place is forgotten; its folder is never
/// touched. Returns whether it is gone altogether.
bool RemoveModel(Library& library, const std::string& name);

/// The fingerprint of the model at a place: remembered, or by reading every weight. Errors: those
/// of OpenRuntime.
Digest FingerprintAt(Library& library, const ModelPlace& place);

/// For messages about the model with this fingerprint: its name and all that is known about it.
std::string LabelOfModel(const Library& library, const Digest& fingerprint);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_MODELS_H_
