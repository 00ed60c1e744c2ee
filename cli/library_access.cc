// SPDX-License-Identifier: Apache-2.0
#include "cli/library_access.h"

#include "cli/explain.h"
#include "cli/terminal/progress.h"
#include "core/base/error.h"
#include "core/base/printable.h"

namespace statelib::cli {

library::Library OpenLibrary(const Context& context, library::Library::Access access) {
  ExplainLibrary(context);
  return library::Library::Open(context.LibraryDirectory(), access, FileSystem::Real(),
                                library::Library::SystemClock(), context.HowToWait());
}

std::optional<library::Library> OpenLibraryIfThere(const Context& context) {
  if (!context.has_place_of_library()) return {};
  if (!storage::Repository::IsAt(context.LibraryDirectory())) return {};
  return OpenLibrary(context, library::Library::Access::kRead);
}

void AddTokenizerOption(Declaration& declaration, std::string& tokenizer) {
  declaration.Option("--tokenizer", &tokenizer,
                     "A tokenizer.json to use, or a GGUF file for its tokenizer (default: the "
                     "model's own, else one that comes with statelib and fits it)",
                     {.shown_as = "FILE"});
}

void AddModelOptions(Declaration& declaration, ModelChoice& choice) {
  declaration.Option(
      "--model", &choice.model,
      "A model's name in the library, or its folder or file (default: the one that the state "
      "needs, else the library's default, else `model` of the settings, else the demo model)",
      {.shown_as = "MODEL"});
  AddTokenizerOption(declaration, choice.tokenizer);
}

library::ModelPlace EmbeddedModel() { return {DemoModelDirectory(), "demo"}; }

namespace {

/// ChooseModel or FindModel with what the command line and the settings say.
library::ModelPlace PlaceOf(decltype(library::ChooseModel) choose, const Context& context,
                            const library::Library* library, const ModelChoice& choice,
                            const storage::ResolvedState* state) {
  library::ModelPlace place = choose(library, choice.model, state, EmbeddedModel());
  const std::string set = context.settings.Text("model");
  if (place.reason == library::ModelReason::kFallback && !set.empty()) {
    place = choose(library, set, state, EmbeddedModel());
    place.reason = library::ModelReason::kSetting;
  }
  if (!choice.tokenizer.empty()) place.tokenizer = choice.tokenizer;
  return place;
}

}  // namespace

library::ModelPlace ChooseModel(const Context& context, const library::Library* library,
                                const ModelChoice& choice, const storage::ResolvedState* state) {
  return PlaceOf(library::ChooseModel, context, library, choice, state);
}

library::LoadedModel LoadChosenModel(Context& context, library::Library& library,
                                     const ModelChoice& choice, const storage::ResolvedState* state,
                                     const engine::RuntimeOptions& options, library::Trust trust) {
  const library::ModelPlace place = ChooseModel(context, &library, choice, state);
  const std::string name = place.name.empty() ? place.directory.string() : place.name;
  ExplainModel(context, place);
  library::LoadedModel model = [&] {
    ProgressBar bar(context.err, "reading the model " + Printable(name), "byte");
    return library::LoadModel(
        library, place, options, &context.cancel,
        [&](uint64_t done, uint64_t total) { bar.Update(done, total); }, trust);
  }();
  ExplainRuntime(context, *model.runtime);
  return model;
}

ModelWhenNeeded::ModelWhenNeeded(Context& context, library::Library& library, ModelChoice choice,
                                 engine::RuntimeOptions options)
    : context_(context),
      library_(library),
      choice_(std::move(choice)),
      options_(std::move(options)) {}

const library::ModelKey& ModelWhenNeeded::Key() {
  if (!key_) {
    key_ = library::RememberedKey(
        library_, PlaceOf(library::FindModel, context_, &library_, choice_, nullptr), options_);
  }
  if (!key_) key_ = Get().key();
  return *key_;
}

const library::LoadedModel& ModelWhenNeeded::Get() {
  if (!model_) model_.emplace(LoadChosenModel(context_, library_, choice_, nullptr, options_));
  return *model_;
}

void AddResultOption(Declaration& declaration, std::string& target) {
  declaration.Option("--as", &target, "What to call the result (default: a new version of NAME)",
                     {.shown_as = "NAME[:TAG]"});
}

storage::Reference ResultReference(const storage::ResolvedState& base, const std::string& given,
                                   const std::string& target) {
  if (!target.empty()) return storage::Reference::Parse(target);
  if (!base.reference)
    Throw(ErrorKind::kInvalidArgument, "{} is a state's id; say with --as what to call the result",
          given);
  return {base.reference->name, base.reference->tag, {}};
}

std::unique_ptr<tokenizer::Tokenizer> OpenTokenizer(const library::ModelPlace& place) {
  return engine::Runtime::OpenTokenizer(place.directory,
                                        {place.tokenizer, ShippedTokenizersDirectory()});
}

std::unique_ptr<tokenizer::Tokenizer> LoadTokenizer(const Context& context,
                                                    const ModelChoice& choice) {
  if (!choice.tokenizer.empty()) {
    library::ModelPlace place;
    place.tokenizer = choice.tokenizer;
    return OpenTokenizer(place);
  }
  const std::optional<library::Library> library = OpenLibraryIfThere(context);
  return OpenTokenizer(ChooseModel(context, library ? &*library : nullptr, choice, nullptr));
}

}  // namespace statelib::cli
