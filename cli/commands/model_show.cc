// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/library_access.h"
#include "cli/model_facts.h"

namespace statelib::cli {

namespace {

class ModelShowCommand : public Command {
 public:
  void Declare(CLI::App& app, SharedOptions& shared) override {
    app.add_option("MODEL", name_, "A model's name, or the first digits of its fingerprint")
        ->required()
        ->type_name("MODEL");
    AddLibraryOption(app, shared);
    AddJsonOption(app, shared);
    AddExamples(app, "  statelib model show demo\n  statelib model show 0a1b2c --json\n");
  }

  void Run(Context& context) override {
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const library::ModelDetails model = library::ShowModel(library, name_);
    if (context.options.json) return context.PrintJson(ModelJson(model));
    PrintModel(context, model);
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> MakeModelShowCommand() { return std::make_unique<ModelShowCommand>(); }

}  // namespace statelib::cli
