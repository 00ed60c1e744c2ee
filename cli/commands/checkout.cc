// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "statestore/library/history.h"

namespace statelib::cli {

namespace {

class CheckoutCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("VERSION", &version_,
                         "The version that its name is to stand for; the others stay",
                         {.shown_as = "NAME[:TAG]@N", .required = true});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib checkout handbook@2\n"
        "  statelib checkout 'handbook@{yesterday}'\n"
        "  statelib checkout 'handbook:draft@{2026-11-20 14:05}'\n");
  }

  void Run(Context& context) override {
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    PrintMoved(context, library::Checkout(library, version_));
  }

 private:
  std::string version_;
};

}  // namespace

std::unique_ptr<Command> MakeCheckoutCommand() { return std::make_unique<CheckoutCommand>(); }

}  // namespace statelib::cli
