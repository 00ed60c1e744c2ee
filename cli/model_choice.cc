// SPDX-License-Identifier: Apache-2.0
#include "cli/model_choice.h"

namespace statelib::cli {

namespace fs = std::filesystem;

void AddModelOption(CLI::App& app, SharedOptions& shared, std::string& model) {
  app.add_option("--model", model,
                 "A model's folder, or the name of one in the library (default: the library's "
                 "default, else the demo model)")
      ->type_name("DIR|NAME");
  AddLibraryOption(app, shared);
}

std::unique_ptr<tokenizer::Tokenizer> LoadTokenizer(const Context& /*context*/,
                                                    const std::string& model) {
  const fs::path path = model.empty() ? DemoModelDirectory() : fs::path(model);
  return tokenizer::Tokenizer::Load(fs::is_directory(path) ? path / "tokenizer.json" : path);
}

}  // namespace statelib::cli
