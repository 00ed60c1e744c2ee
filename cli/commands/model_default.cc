// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/library_access.h"
#include "cli/model_facts.h"

namespace statelib::cli {

namespace {

class ModelDefaultCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("MODEL", &name_, "The model that `ingest` is to use where none is named",
                         {.shown_as = "MODEL", .required = true});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples("  statelib model default large\n");
  }

  void Run(Context& context) override {
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    if (name_ == EmbeddedModel().name) {
      library::UnsetDefaultModel(library);
      if (context.options.json)
        return context.PrintJson({{"name", name_}, {"default", true}, {"present", true}});
      context.Tell(
          Shown::Format("{}, which comes with statelib, is the default model now\n", name_), name_);
      return;
    }
    const library::ModelDetails model = library::SetDefaultModel(library, name_);
    if (context.options.json) return context.PrintJson(ModelJson(model));
    context.Tell(Shown::Format("{} is the default model now\n", model.row.name), model.row.name);
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> MakeModelDefaultCommand() {
  return std::make_unique<ModelDefaultCommand>();
}

}  // namespace statelib::cli
