// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/library_access.h"
#include "cli/model_facts.h"

namespace statelib::cli {

namespace {

class ModelAddCommand : public Command {
 public:
  void Declare(CLI::App& app, SharedOptions& shared) override {
    app.add_option("DIR", directory_, "The folder with config.json, weights and tokenizer.json")
        ->required()
        ->type_name("DIR");
    app.add_option("--name", name_, "What to call it (default: the folder's name)")
        ->type_name("MODEL");
    app.add_flag("--default", make_default_, "Make it the library's default model");
    AddLibraryOption(app, shared);
    AddJsonOption(app, shared);
    AddExamples(app,
                "  statelib model add ~/models/mamba-130m\n"
                "  statelib model add ~/models/mamba-1.4b --name large --default\n");
  }

  void Run(Context& context) override {
    library::Library library = OpenLibrary(context, library::Library::Access::kCreate);
    library::ModelDetails model = library::AddModel(library, directory_, name_, &context.cancel);
    if (make_default_) model = library::SetDefaultModel(library, model.row.name);
    if (context.options.json) return context.PrintJson(ModelJson(model));
    PrintModel(context, model);
  }

 private:
  std::string directory_;
  std::string name_;
  bool make_default_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeModelAddCommand() { return std::make_unique<ModelAddCommand>(); }

}  // namespace statelib::cli
