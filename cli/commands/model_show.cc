// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/library_access.h"
#include "cli/model_facts.h"

namespace statelib::cli {

namespace {

class ModelShowCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("MODEL", &name_, "A model's name, or the first digits of its fingerprint",
                         {.shown_as = "MODEL", .required = true});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples("  statelib model show demo\n  statelib model show 0a1b2c --json\n");
  }

  void Run(Context& context) override {
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const library::ModelDetails model = library::ShowModel(library, name_);
    if (context.options.json) return context.PrintJson(ModelJson(model));
    if (context.options.quiet) return context.PrintName(model.row.identity.fingerprint.Hex());
    PrintModel(context, model);
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> MakeModelShowCommand() { return std::make_unique<ModelShowCommand>(); }

}  // namespace statelib::cli
