// SPDX-License-Identifier: Apache-2.0
#include "cli/library_access.h"
#include "cli/sharing_commands.h"
#include "cli/terminal/table.h"
#include "statestore/library/remotes.h"

namespace statelib::cli {

namespace {

class RemoteListCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples("  statelib remote list\n  statelib remote list --json\n");
  }

  void Run(Context& context) override {
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const std::vector<library::NamedRemote> remotes = library::ListRemotes(library);
    if (context.options.json) {
      Json list = Json::array();
      for (const library::NamedRemote& remote : remotes)
        list.push_back({{"name", remote.name}, {"url", remote.url}});
      return context.PrintJson({{"remotes", list}});
    }
    if (context.options.quiet) {
      for (const library::NamedRemote& remote : remotes) context.PrintName(remote.name);
      return;
    }
    Table table({{"NAME", Align::kLeft, false, Colour::kBold}, {"URL", Align::kLeft, true}});
    for (const library::NamedRemote& remote : remotes) table.Add({remote.name, remote.url});
    table.Print(context.out);
  }
};

}  // namespace

std::unique_ptr<Command> MakeRemoteListCommand() { return std::make_unique<RemoteListCommand>(); }

}  // namespace statelib::cli
