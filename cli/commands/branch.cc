// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "statestore/library/history.h"

namespace statelib::cli {

namespace {

class BranchCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("FROM", &from_, "A state's name, or the first digits of its id",
                         {.shown_as = "NAME[:TAG][@N]", .required = true});
    declaration.Argument("TO", &to_, "The fork's name, which must be new",
                         {.shown_as = "NAME[:TAG]", .required = true});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib branch handbook handbook:draft\n"
        "  statelib branch 'story@{2 hours ago}' story-with-another-end\n");
  }

  void Run(Context& context) override {
    const storage::Reference to = storage::Reference::Parse(to_);
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    PrintSaved(context, library::Branch(library, from_, to));
  }

 private:
  std::string from_;
  std::string to_;
};

}  // namespace

std::unique_ptr<Command> MakeBranchCommand() { return std::make_unique<BranchCommand>(); }

}  // namespace statelib::cli
