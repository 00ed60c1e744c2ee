// SPDX-License-Identifier: Apache-2.0
#include "cli/library_access.h"

namespace statelib::cli {

library::Library OpenLibrary(const Context& context, library::Library::Access access) {
  return library::Library::Open(context.LibraryDirectory(), access);
}

std::optional<library::Library> OpenLibraryIfThere(const Context& context) {
  if (context.options.library.empty() && !context.environment.has_default_library()) return {};
  std::error_code ignored;
  if (!std::filesystem::exists(context.LibraryDirectory() / "index.db", ignored)) return {};
  return OpenLibrary(context, library::Library::Access::kRead);
}

void AddModelOption(Declaration& declaration, std::string& model) {
  declaration.Option(
      "--model", &model,
      "A model's name in the library, or its folder (default: the one that the state "
      "needs, else the library's default, else the demo model)",
      {.shown_as = "MODEL"});
}

library::ModelPlace ChooseModel(const library::Library* library, const std::string& model,
                                const storage::ResolvedState* state) {
  return library::ChooseModel(library, model, state, {DemoModelDirectory(), "demo"});
}

std::unique_ptr<tokenizer::Tokenizer> LoadTokenizer(const Context& context,
                                                    const std::string& model) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(model, ignored)) return tokenizer::Tokenizer::Load(model);
  const std::optional<library::Library> library = OpenLibraryIfThere(context);
  const library::ModelPlace place = ChooseModel(library ? &*library : nullptr, model, nullptr);
  return tokenizer::Tokenizer::Load(place.directory / "tokenizer.json");
}

}  // namespace statelib::cli
