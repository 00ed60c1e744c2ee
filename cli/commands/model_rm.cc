// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/library_access.h"
#include "core/base/error.h"
#include "statestore/library/models.h"

namespace statelib::cli {

namespace {

class ModelRmCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("MODEL", &name_, "The model to forget; its folder is never touched",
                         {.shown_as = "MODEL", .required = true});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples("  statelib model rm large\n");
  }

  void Run(Context& context) override {
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    if (name_ == EmbeddedModel().name) {
      Throw(
          ErrorKind::kInvalidArgument,
          "{} is the model that comes with statelib and cannot be removed; `statelib model default "
          "MODEL` chooses another one where none is named",
          name_);
    }
    const bool gone = library::RemoveModel(library, name_);
    if (context.options.json) return context.PrintJson({{"model", name_}, {"removed", gone}});
    context.Tell(gone ? Shown::Format("removed {}\n", name_)
                      : Shown::Format("forgot where {} lies; states of it remain, so its name does "
                                      "too\n",
                                      name_),
                 name_);
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> MakeModelRmCommand() { return std::make_unique<ModelRmCommand>(); }

}  // namespace statelib::cli
