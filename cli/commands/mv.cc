// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "statestore/library/organise.h"

namespace statelib::cli {

namespace {

class MvCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("FROM", &from_, "A name; its versions go with it",
                         {.shown_as = "NAME[:TAG]", .required = true});
    declaration.Argument("TO", &to_, "What it is to be called",
                         {.shown_as = "NAME[:TAG]", .required = true});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib mv handbok handbook\n"
        "  statelib mv handbook:draft handbook:reviewed\n");
  }

  void Run(Context& context) override {
    const storage::Reference from = storage::Reference::Parse(from_);
    const storage::Reference to = storage::Reference::Parse(to_);
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    library::Move(library, from, to);
    if (context.options.json)
      return context.PrintJson({{"from", ReferenceJson(from)}, {"to", ReferenceJson(to)}});
    context.Tell(Shown::Format("{} is called {} now\n", from.Text(), to.Text()), to.Text());
  }

 private:
  std::string from_;
  std::string to_;
};

}  // namespace

std::unique_ptr<Command> MakeMvCommand() { return std::make_unique<MvCommand>(); }

}  // namespace statelib::cli
