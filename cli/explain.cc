// SPDX-License-Identifier: Apache-2.0
#include "cli/explain.h"

namespace statelib::cli {

namespace {

const char* TextOf(library::ModelReason reason) {
  switch (reason) {
    case library::ModelReason::kNamed:
      return "named on the command line";
    case library::ModelReason::kNeeded:
      return "the state was made with it";
    case library::ModelReason::kDefault:
      return "the library's default";
    case library::ModelReason::kSetting:
      return "`model` of the settings";
    case library::ModelReason::kFallback:
      return "it comes with statelib, and no other was chosen";
  }
  return "";
}

/// How the matrices are held, which the profile tells.
std::string WeightsOf(const engine::Runtime& runtime) {
  for (const char* format : {"f32", "bf16", "int8", "int4"})
    if (runtime.ProfileWith(format) == runtime.profile()) return format;
  return "as in the model's file";
}

void Explain(const Context& context, const std::string& text) {
  if (context.options.verbose) context.notes.Add(Notes::Kind::kDetail, text);
}

}  // namespace

void ExplainLibrary(const Context& context) {
  const LibraryPlace place = context.PlaceOfLibrary();
  Explain(context, fmt::format("library: {} ({})", place.path.string(), place.why));
}

void ExplainModel(const Context& context, const library::ModelPlace& place) {
  const std::string name = place.name.empty() ? "" : place.name + " in ";
  Explain(context,
          fmt::format("model: {}{} ({})", name, place.directory.string(), TextOf(place.reason)));
}

void ExplainRemote(const Context& context, const std::string& remote) {
  Explain(context, fmt::format("remote: {} (`remote` of the settings)", remote));
}

void ExplainRuntime(const Context& context, const engine::Runtime& runtime) {
  Explain(context, fmt::format("computing: {}; weights {}; profile {}", runtime.backend_name(),
                               WeightsOf(runtime), runtime.profile()));
}

}  // namespace statelib::cli
