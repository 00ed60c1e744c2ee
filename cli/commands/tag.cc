// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "core/base/error.h"
#include "statestore/library/organise.h"

namespace statelib::cli {

namespace {

class TagCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_, "A state's name",
                         {.shown_as = "NAME[:TAG][@N]", .required = true});
    declaration.Argument("TAG", &tag_, "The tag to set on that name",
                         {.shown_as = "TAG", .required = true});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib tag handbook reviewed\n"
        "  statelib tag handbook@2 latest\n");
  }

  void Run(Context& context) override {
    storage::CheckTag(tag_);
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    const storage::ResolvedState state = library.Resolve(name_);
    if (!state.reference)
      Throw(ErrorKind::kInvalidArgument, "{} is a state's id; cp gives it a name", name_);
    const library::SavedState saved =
        library::Copy(library, name_, {state.reference->name, tag_, {}});
    if (context.options.json) return context.PrintJson(SavedJson(saved));
    context.Tell(Shown::Format("{} is {} now\n", saved.reference.Text(), state.reference->Text()),
                 saved.reference.Text());
  }

 private:
  std::string name_;
  std::string tag_;
};

}  // namespace

std::unique_ptr<Command> MakeTagCommand() { return std::make_unique<TagCommand>(); }

}  // namespace statelib::cli
