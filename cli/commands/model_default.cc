// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/library_access.h"
#include "cli/model_facts.h"

namespace statelib::cli {

namespace {

class ModelDefaultCommand : public Command {
 public:
  void Declare(CLI::App& app, SharedOptions& shared) override {
    app.add_option("MODEL", name_, "The model that `ingest` is to use where none is named")
        ->required()
        ->type_name("MODEL");
    AddLibraryOption(app, shared);
    AddJsonOption(app, shared);
    AddExamples(app, "  statelib model default large\n");
  }

  void Run(Context& context) override {
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    const library::ModelDetails model = library::SetDefaultModel(library, name_);
    if (context.options.json) return context.PrintJson(ModelJson(model));
    context.out.Print("{} is the default model now\n", model.row.name);
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> MakeModelDefaultCommand() {
  return std::make_unique<ModelDefaultCommand>();
}

}  // namespace statelib::cli
