// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "statestore/library/organise.h"

namespace statelib::cli {

namespace {

class CpCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("FROM", &from_, "A state's name, or the first digits of its id",
                         {.shown_as = "NAME[:TAG][@N]", .required = true});
    declaration.Argument("TO", &to_, "Another name for it",
                         {.shown_as = "NAME[:TAG]", .required = true});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib cp handbook handbook-2025\n"
        "  statelib cp handbook@1 handbook:first\n");
  }

  void Run(Context& context) override {
    const storage::Reference to = storage::Reference::Parse(to_);
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    PrintSaved(context, library::Copy(library, from_, to));
  }

 private:
  std::string from_;
  std::string to_;
};

}  // namespace

std::unique_ptr<Command> MakeCpCommand() { return std::make_unique<CpCommand>(); }

}  // namespace statelib::cli
