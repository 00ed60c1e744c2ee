// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/library_access.h"

namespace statelib::cli {

namespace {

class InitCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Flag("--shared", shared_,
                     "For everybody in the folder's group, to read and to write (default: for you "
                     "alone)");
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib init\n"
        "  statelib init --shared --library /srv/team/statelib\n"
        "\n"
        "The first `ingest` or `import` makes a library for you alone where there is none. Who may "
        "use one\n"
        "is said by its folder's permissions; change those of a whole library with chmod -R.\n");
  }

  void Run(Context& context) override {
    const storage::Sharing sharing =
        shared_ ? storage::Sharing::kGroup : storage::Sharing::kPrivate;
    const library::Library library = library::Library::Init(context.LibraryDirectory(), sharing);
    const std::string path = library.path().string();
    if (context.options.json) return context.PrintJson({{"library", path}, {"shared", shared_}});
    context.Tell(
        Shown::Format("{}: an empty library for {}\n", path, shared_ ? "its group" : "you alone"),
        path);
  }

 private:
  bool shared_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeInitCommand() { return std::make_unique<InitCommand>(); }

}  // namespace statelib::cli
