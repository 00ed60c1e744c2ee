// SPDX-License-Identifier: Apache-2.0
#include "cli/library_access.h"
#include "cli/sharing_commands.h"
#include "core/base/error.h"
#include "core/base/nearest_names.h"
#include "core/base/printable.h"
#include "statestore/library/remotes.h"
#include "statestore/storage/reference.h"

namespace statelib::cli {

namespace {

class RemoteRmCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_, "The remote to forget; what it holds is not touched",
                         {.shown_as = "REMOTE", .required = true});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples("  statelib remote rm share\n");
  }

  void Run(Context& context) override {
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    if (!library::RemoveRemote(library, name_)) {
      std::vector<std::string> names;
      for (const library::NamedRemote& remote : library::ListRemotes(library))
        names.push_back(remote.name);
      Throw(ErrorKind::kNotFound, "there is no remote {}{}; `statelib remote list` shows them",
            Escaped(name_), DidYouMean(name_, names));
    }
    if (context.options.json) return context.PrintJson({{"removed", name_}});
    context.Tell(Shown::Format("removed {}\n", name_), name_);
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> MakeRemoteRmCommand() { return std::make_unique<RemoteRmCommand>(); }

}  // namespace statelib::cli
