// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "statestore/library/history.h"

namespace statelib::cli {

namespace {

class UndoCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_,
                         "The name whose last change to take back; again takes back the one before",
                         {.shown_as = "NAME[:TAG]", .required = true});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib undo handbook\n"
        "  statelib undo minutes:april --json\n");
  }

  void Run(Context& context) override {
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    PrintMoved(context, library::Undo(library, storage::Reference::Parse(name_)));
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> MakeUndoCommand() { return std::make_unique<UndoCommand>(); }

}  // namespace statelib::cli
