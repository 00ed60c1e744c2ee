// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/library_access.h"
#include "cli/terminal/quantities.h"
#include "statestore/storage/maintenance.h"

namespace statelib::cli {

namespace {

class CheckpointBudgetCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("SIZE", &size_,
                         "The new budget, as 500MB or 2GiB; 0: no checkpoints at all",
                         {.shown_as = "SIZE"});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib checkpoint budget\n"
        "  statelib checkpoint budget 4GiB\n");
  }

  void Run(Context& context) override {
    using Access = library::Library::Access;
    std::optional<uint64_t> bytes;
    if (!size_.empty()) bytes = ParseBytes(size_);
    library::Library library = OpenLibrary(context, bytes ? Access::kWrite : Access::kRead);
    storage::IndexCheckpoints& checkpoints = library.repository().index().checkpoints();
    if (bytes) {
      checkpoints.SetBudget(*bytes);
      storage::ThinCheckpoints(library.repository());
    }
    const storage::CheckpointUsage usage = checkpoints.Usage();
    if (context.options.json)
      return context.PrintJson({{"budget_bytes", usage.budget_bytes},
                                {"stored_bytes", usage.stored_bytes},
                                {"checkpoints", usage.checkpoints}});
    context.Tell(
        Shown::Format("{} take {} of {}{}\n", HumanCount(usage.checkpoints, "checkpoint"),
                      HumanBytes(usage.stored_bytes), HumanBytes(usage.budget_bytes),
                      usage.stored_bytes > usage.budget_bytes ? "; gc removes what is beyond" : ""),
        std::to_string(usage.budget_bytes));
  }

 private:
  std::string size_;
};

}  // namespace

std::unique_ptr<Command> MakeCheckpointBudgetCommand() {
  return std::make_unique<CheckpointBudgetCommand>();
}

}  // namespace statelib::cli
