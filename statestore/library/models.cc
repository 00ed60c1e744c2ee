// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/models.h"

#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/base/nearest_names.h"
#include "core/base/printable.h"
#include "statestore/library/model_description.h"
#include "statestore/library/model_stamp.h"
#include "statestore/library/packed_weights.h"
#include "statestore/library/prompt_card.h"

namespace statelib::library {

namespace {

namespace fs = std::filesystem;
using storage::ModelRow;

constexpr size_t kDigitsMin = 6;

std::string SummaryOf(const model::ModelInfo& info) {
  return fmt::format("{} layers, {} wide, {} tokens", info.layers, info.hidden_size,
                     info.vocabulary_size);
}

std::string LabelOf(const std::string& name, const storage::ModelIdentity& identity) {
  return fmt::format("{} ({}, {}, fingerprint {})", name.empty() ? "without a name" : name,
                     identity.architecture, identity.summary, identity.fingerprint.ShortHex());
}

std::optional<ModelRow> Find(const Library& library, const std::string& name) {
  const storage::IndexModels& models = library.repository().index().models();
  if (const auto row = models.FindByName(name)) return row;
  if (name.size() < kDigitsMin) return std::nullopt;
  for (const ModelRow& row : models.All()) {
    if (row.identity.fingerprint.Hex().starts_with(name)) return row;
  }
  return std::nullopt;
}

[[noreturn]] void ThrowUnknown(const Library& library, const std::string& name) {
  std::vector<std::string> names;
  for (const ModelRow& row : library.repository().index().models().All()) {
    if (!row.name.empty()) names.push_back(row.name);
  }
  const std::string known =
      names.empty() ? "knows none" : fmt::format("knows {}", fmt::join(names, ", "));
  Throw(ErrorKind::kNotFound,
        "there is no model named {} and no such folder or file{}; the library {}; `statelib model "
        "add PATH "
        "--name NAME` adds one",
        Escaped(name), DidYouMean(name, names), known);
}

ModelRow FindOrThrow(const Library& library, const std::string& name) {
  const auto row = Find(library, name);
  if (!row) ThrowUnknown(library, name);
  return *row;
}

bool IsThere(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// Where a known model lies, or lay.
ModelPlace PlaceOf(const ModelRow& row) {
  return {row.path, row.name, row.tokenizer_path, row.weights, {}, row.identity};
}

/// Errors: kNotFound for a known model whose folder is unknown or gone.
void CheckIsThere(const ModelPlace& place) {
  if (!place.known) return;
  if (place.reason == ModelReason::kDefault && !IsThere(place.directory)) {
    Throw(
        ErrorKind::kNotFound,
        "the library's default model, {}, is no longer {}; say where it is with `statelib model "
        "add PATH`, or choose another with `statelib model default MODEL` (demo is always there)",
        LabelOf(place.name, *place.known),
        place.directory.empty() ? "known to be on this machine" : "in " + place.directory.string());
  }
  if (place.directory.empty()) {
    Throw(ErrorKind::kNotFound,
          "the model {} is not on this machine as far as the library knows; add it with `statelib "
          "model add PATH`",
          LabelOf(place.name, *place.known));
  }
  if (!IsThere(place.directory)) {
    Throw(ErrorKind::kNotFound,
          "the model {} is no longer in {}; say where it is with `statelib model add PATH`",
          LabelOf(place.name, *place.known), place.directory.string());
  }
}

/// The options with what the place says where they say nothing.
engine::RuntimeOptions OptionsAt(const ModelPlace& place, engine::RuntimeOptions options) {
  if (!place.tokenizer.empty()) options.tokenizer.given = place.tokenizer;
  if (options.weights.empty() && place.profile.empty()) options.weights = place.weights;
  options.profile = place.profile;
  return options;
}

/// As places are remembered.
fs::path Normal(const fs::path& path) { return fs::absolute(path).lexically_normal(); }

uint64_t SizeOf(const engine::Runtime& runtime) {
  uint64_t bytes = 0;
  for (const model_files::FileFact& file : runtime.model_files().files()) bytes += file.size_bytes;
  return bytes;
}

/// What a model is called where nobody says: its folder's name, or its file's without the ending.
std::string NameOf(const fs::path& path) {
  std::error_code ignored;
  return (fs::is_directory(path, ignored) ? path.filename() : path.stem()).string();
}

/// The operations of a model as the bits of a number, for the index.
std::vector<kernels::Operation> OperationsOf(uint64_t bits) {
  std::vector<kernels::Operation> operations;
  for (int i = 0; i < 64; ++i)
    if (bits >> i & 1) operations.push_back(static_cast<kernels::Operation>(i));
  return operations;
}

storage::OpenedModel OpenedOf(const Digest& fingerprint, const kernels::ProfileRequest& request) {
  storage::OpenedModel opened{fingerprint, request.has_blocks};
  for (const kernels::Operation operation : request.operations)
    opened.operations |= uint64_t{1} << static_cast<int>(operation);
  return opened;
}

Digest FingerprintOf(Library& library, const engine::Runtime& runtime, const std::string& path,
                     const Digest& stamp, Trust trust, const CancelFlag* cancel,
                     const model_files::HashProgress& on_progress) {
  storage::IndexModels& models = library.repository().index().models();
  const auto known = models.RememberedAt(path, stamp);
  if (known && trust == Trust::kStamp) return known->fingerprint;
  const Digest fingerprint = runtime.ComputeFingerprint(cancel, on_progress);
  if (library.repository().writable())
    models.Remember(path, stamp, OpenedOf(fingerprint, runtime.profile_request()));
  return fingerprint;
}

ModelDetails DetailsOf(const Library& library, const ModelRow& row) {
  const storage::IndexModels& models = library.repository().index().models();
  ModelDetails details{row, models.Default() == row.identity.fingerprint,
                       !row.path.empty() && IsThere(row.path),
                       models.StatesOf(row.identity.fingerprint)};
  AddPromptForm(library, details);
  return details;
}

/// The fallback with what the library knows of it, as the format of its weights.
ModelPlace FallbackPlace(const Library* library, const ModelPlace& fallback) {
  if (library == nullptr) return fallback;
  const auto row = library->repository().index().models().FindByName(fallback.name);
  std::error_code none;
  const bool is_it =
      row && !row->path.empty() && fs::equivalent(row->path, fallback.directory, none) && !none;
  return is_it ? PlaceOf(*row) : fallback;
}

/// Whether the fallback, which is where the program is, is the model of a fingerprint.
bool IsFallback(const Library& library, const ModelPlace& fallback, const Digest& fingerprint) {
  if (!IsThere(fallback.directory)) return false;
  try {
    if (const auto known = RememberedKey(library, fallback, {}))
      return known->fingerprint == fingerprint;
    return OpenRuntime(fallback, {})->ComputeFingerprint(nullptr, {}) == fingerprint;
  } catch (const Error&) {
    return false;  // a damaged one is no model that is asked for
  }
}

/// A place; of a model that is no longer where it was, and that is the fallback, the fallback's.
ModelPlace PresentPlace(const Library& library, ModelPlace place, const ModelPlace& fallback) {
  if (!place.known || IsThere(place.directory) ||
      !IsFallback(library, fallback, place.known->fingerprint))
    return place;
  place.directory = fallback.directory;
  place.tokenizer = fallback.tokenizer;
  return place;
}

ModelPlace For(ModelReason reason, ModelPlace place) {
  place.reason = reason;
  return place;
}

ModelPlace ChoosePlace(const Library* library, const std::string& choice,
                       const storage::ResolvedState* state, const ModelPlace& fallback) {
  if (!choice.empty()) {
    if (choice == fallback.name) return FallbackPlace(library, fallback);
    if (library != nullptr) {
      if (const auto row = Find(*library, choice)) return PlaceOf(*row);
    }
    if (IsThere(choice) && model_files::ModelFiles::IsAt(choice)) return {choice, ""};
    if (library != nullptr) ThrowUnknown(*library, choice);
    Throw(ErrorKind::kNotFound, "there is no model folder or file {}", Escaped(choice));
  }
  if (library == nullptr) return For(ModelReason::kFallback, fallback);
  const storage::IndexModels& models = library->repository().index().models();
  if (state != nullptr) {
    const auto needed = models.Find(state->state.model);
    if (needed && !needed->path.empty()) return For(ModelReason::kNeeded, PlaceOf(*needed));
    if (needed && (needed->name == fallback.name ||
                   IsFallback(*library, fallback, needed->identity.fingerprint)))
      return For(ModelReason::kNeeded, fallback);
  }
  if (const auto chosen = models.Default()) {
    if (const auto row = models.Find(*chosen)) return For(ModelReason::kDefault, PlaceOf(*row));
  }
  return For(ModelReason::kFallback, fallback);
}

}  // namespace

std::string LoadedModel::Label() const { return LabelOf(place.name, identity); }

ModelPlace FindModel(const Library* library, const std::string& choice,
                     const storage::ResolvedState* state, const ModelPlace& fallback) {
  ModelPlace place = ChoosePlace(library, choice, state, fallback);
  if (library != nullptr) place = PresentPlace(*library, std::move(place), fallback);
  if (state != nullptr) place.profile = storage::BaseProfileOf(state->state.profile);
  return place;
}

ModelPlace ChooseModel(const Library* library, const std::string& choice,
                       const storage::ResolvedState* state, const ModelPlace& fallback) {
  ModelPlace place = FindModel(library, choice, state, fallback);
  CheckIsThere(place);
  return place;
}

std::optional<ModelKey> RememberedKey(const Library& library, const ModelPlace& place,
                                      const engine::RuntimeOptions& given) {
  const storage::IndexModels& models = library.repository().index().models();
  const engine::RuntimeOptions options = OptionsAt(place, given);
  std::optional<storage::OpenedModel> opened;
  if (IsThere(place.directory)) {
    const fs::path directory = Normal(place.directory);
    opened = models.RememberedAt(directory.string(), StampOf(directory, options.tokenizer));
  } else if (place.known) {
    // Its fingerprint is that of the tokenizer too that it was added with.
    const auto row = models.Find(place.known->fingerprint);
    if (row && row->tokenizer_path == place.tokenizer)
      opened = models.Remembered(place.known->fingerprint);
  }
  if (!opened) return std::nullopt;
  const kernels::ProfileRequest request{
      engine::FormatOf(options.weights.empty() ? "auto" : options.weights), opened->has_blocks,
      kernels::DType::kF32, OperationsOf(opened->operations)};
  engine::BackendChoice backend = options.backend;
  backend.options.threads = 1;  // it computes nothing
  return ModelKey{opened->fingerprint, engine::MakeBackend(backend)->ProfileOf(request)};
}

std::unique_ptr<engine::Runtime> OpenRuntime(const ModelPlace& place,
                                             engine::RuntimeOptions options) {
  return engine::Runtime::Open(place.directory, OptionsAt(place, std::move(options)));
}

LoadedModel LoadModel(Library& library, const ModelPlace& place,
                      const engine::RuntimeOptions& options, const CancelFlag* cancel,
                      const model_files::HashProgress& on_progress, Trust trust) {
  LoadedModel model;
  model.place = place;
  model.place.directory = Normal(place.directory);
  if (!place.tokenizer.empty()) model.place.tokenizer = Normal(place.tokenizer);
  // Before the files are opened: any later change of them changes the stamp.
  const Digest stamp = StampOf(model.place.directory, OptionsAt(model.place, options).tokenizer);
  model.runtime = OpenRuntime(model.place, options);
  const Digest fingerprint = FingerprintOf(library, *model.runtime, model.place.directory.string(),
                                           stamp, trust, cancel, on_progress);
  if (trust == Trust::kStamp) {
    model.runtime->UsePackedWeights(
        PackedWeightsFolder(library), fingerprint,
        library.repository().writable() ? &library.repository().files() : nullptr, cancel,
        on_progress);
  }
  const model::ModelInfo& info = model.runtime->info();
  model.identity = {fingerprint, info.architecture, SummaryOf(info)};
  if (model.place.name.empty()) {
    const auto known = library.repository().index().models().Find(fingerprint);
    if (known) model.place.name = known->name;
  }
  return model;
}

ModelDetails AddModel(Library& library, const fs::path& directory, const std::string& name,
                      const engine::TokenizerPlaces& tokenizer, const std::string& weights,
                      const CancelFlag* cancel, const model_files::HashProgress& on_progress) {
  engine::RuntimeOptions options;
  options.tokenizer = tokenizer;
  options.weights = weights;
  LoadedModel model =
      LoadModel(library, {directory, "", tokenizer.given}, options, cancel, on_progress);
  const PromptForm card = ReadPromptCard(library.files(), model.place.directory);
  storage::IndexModels& models = library.repository().index().models();
  ModelRow row;
  library.repository().index().Write([&] {
    const auto known = models.Find(model.identity.fingerprint);
    row.identity = model.identity;
    row.name = !name.empty()                   ? name
               : known && !known->name.empty() ? known->name
                                               : NameOf(model.place.directory);
    storage::CheckName(row.name);
    row.weights = !weights.empty() ? weights : known ? known->weights : "";
    if (known) row.prompt = known->prompt;
    row.card = !card.empty() || !known ? card : known->card;
    row.path = model.place.directory.string();
    row.size_bytes = SizeOf(*model.runtime);
    row.added_at_ms = library.now_ms();
    row.description_json = DescriptionOf(*model.runtime);
    row.tokenizer_path = model.place.tokenizer.string();
    models.Put(row);
  });
  return DetailsOf(library, row);
}

std::vector<ModelDetails> ListModels(const Library& library) {
  std::vector<ModelDetails> all;
  for (const ModelRow& row : library.repository().index().models().All())
    all.push_back(DetailsOf(library, row));
  return all;
}

ModelDetails ShowModel(const Library& library, const std::string& name) {
  return DetailsOf(library, FindOrThrow(library, name));
}

ModelDetails SetDefaultModel(Library& library, const std::string& name) {
  const ModelRow row = FindOrThrow(library, name);
  library.repository().index().models().SetDefault(row.identity.fingerprint);
  return DetailsOf(library, row);
}

void UnsetDefaultModel(Library& library) {
  library.repository().index().models().SetDefault(std::nullopt);
}

Digest FingerprintAt(Library& library, const ModelPlace& place) {
  const fs::path directory = Normal(place.directory);
  const Digest stamp = StampOf(directory, OptionsAt(place, {}).tokenizer);
  if (const auto known = library.repository().index().models().RememberedAt(directory, stamp))
    return known->fingerprint;
  return FingerprintOf(library, *OpenRuntime(place, {}), directory.string(), stamp, Trust::kStamp,
                       nullptr, {});
}

bool RemoveModel(Library& library, const std::string& name) {
  return library.repository().index().models().Remove(
      FindOrThrow(library, name).identity.fingerprint);
}

std::string LabelOfModel(const Library& library, const Digest& fingerprint) {
  const auto row = library.repository().index().models().Find(fingerprint);
  if (!row) return fmt::format("with fingerprint {}", fingerprint.ShortHex());
  return LabelOf(row->name, row->identity);
}

}  // namespace statelib::library
