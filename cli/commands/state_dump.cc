// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/state_dump.h"

#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/output_option.h"
#include "cli/terminal/quantities.h"

namespace statelib::cli {

namespace {

class StateDumpCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_, "The state to write",
                         {.shown_as = "NAME[:TAG][@N]", .required = true});
    declaration.Option("-o,--output", &file_,
                       "The safetensors file to write; one that exists is replaced, - is standard "
                       "output",
                       {.shown_as = "FILE", .required = true});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib state dump handbook -o handbook.safetensors\n"
        "  statelib state dump handbook@1 -o - | ssh host statelib state load - --as handbook\n"
        "\n"
        "Its tensors are layers.N.KIND (conv, ssm; KIND.0, KIND.1 where a layer has several) and\n"
        "hidden; its metadata says which state of which model they are.\n");
  }

  void Run(Context& context) override {
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const storage::ResolvedState state = library.Resolve(name_);
    const Context said = ContextBeside(context, file_);
    const uint64_t bytes = library::DumpState(library, state, file_);
    if (context.options.json)
      return said.PrintJson(
          {{"file", file_}, {"state", StateJson(state.state)}, {"tensor_bytes", bytes}});
    said.Tell(Shown::Format("{}: {} of {}, state {}\n", NameOfOutput(file_), HumanBytes(bytes),
                            NameOf(state), state.state.id.ShortHex()),
              NameOfOutput(file_));
  }

 private:
  std::string name_;
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> MakeStateDumpCommand() { return std::make_unique<StateDumpCommand>(); }

}  // namespace statelib::cli
