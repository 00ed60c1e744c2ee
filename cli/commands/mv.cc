// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "statestore/library/organise.h"

namespace statelib::cli {

namespace {

class MvCommand : public Command {
 public:
  void Declare(CLI::App& app, SharedOptions& shared) override {
    app.add_option("FROM", from_, "A name; its versions go with it")
        ->required()
        ->type_name("NAME[:TAG]");
    app.add_option("TO", to_, "What it is to be called")->required()->type_name("NAME[:TAG]");
    AddLibraryOption(app, shared);
    AddJsonOption(app, shared);
    AddExamples(app,
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
    context.out.Print("{} is called {} now\n", from.Text(), to.Text());
  }

 private:
  std::string from_;
  std::string to_;
};

}  // namespace

std::unique_ptr<Command> MakeMvCommand() { return std::make_unique<MvCommand>(); }

}  // namespace statelib::cli
