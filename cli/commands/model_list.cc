// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/library_access.h"
#include "cli/model_facts.h"
#include "cli/terminal/quantities.h"
#include "cli/terminal/table.h"

namespace statelib::cli {

namespace {

class ModelListCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples("  statelib model list\n  statelib model list --json\n");
  }

  void Run(Context& context) override {
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const std::vector<library::ModelDetails> models = library::ListModels(library);
    if (context.options.json) {
      Json list = Json::array();
      for (const library::ModelDetails& model : models) list.push_back(ModelJson(model));
      return context.PrintJson({{"models", list}});
    }
    if (context.options.quiet) {
      for (const library::ModelDetails& model : models)
        context.PrintName(model.row.name.empty() ? model.row.identity.fingerprint.Hex()
                                                 : model.row.name);
      return;
    }
    Table table({{"NAME", Align::kLeft, false, Colour::kBold},
                 {"FINGERPRINT"},
                 {"ARCHITECTURE"},
                 {"STATES", Align::kRight},
                 {"DEFAULT"},
                 {"FOLDER", Align::kLeft, true}});
    for (const library::ModelDetails& model : models)
      table.Add({model.row.name.empty() ? "-" : model.row.name,
                 model.row.identity.fingerprint.ShortHex(), model.row.identity.architecture,
                 HumanCount(model.states), model.is_default ? "yes" : "",
                 model.is_present ? model.row.path : "(not here)"});
    table.Print(context.out);
  }
};

}  // namespace

std::unique_ptr<Command> MakeModelListCommand() { return std::make_unique<ModelListCommand>(); }

}  // namespace statelib::cli
