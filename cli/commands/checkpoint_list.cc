// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/terminal/quantities.h"
#include "cli/terminal/table.h"

namespace statelib::cli {

namespace {

class CheckpointListCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_, "Only those on the way to this state",
                         {.shown_as = "NAME[:TAG][@N]"});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib checkpoint list\n"
        "  statelib checkpoint list handbook --json\n");
  }

  void Run(Context& context) override {
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    std::optional<storage::StateId> of;
    if (!name_.empty()) of = library.Resolve(name_).state.id;
    const auto rows = library.repository().index().checkpoints().List(of);
    if (rows.empty())
      context.notes.Add(Notes::Kind::kPlain,
                        fmt::format("no checkpoints in {}", library.path().string()));
    if (context.options.json) return PrintAsJson(context, rows);
    if (context.options.quiet) {
      for (const storage::CheckpointRow& row : rows) context.PrintName(row.state.id.Hex());
      return;
    }
    if (rows.empty()) return;
    Table table({{"ID"}, {"TOKENS", Align::kRight}, {"SIZE", Align::kRight}, {"STATUS"}, {"AGE"}});
    for (const storage::CheckpointRow& row : rows)
      table.Add({row.state.id.ShortHex(), HumanCount(row.state.history.token_count()),
                 HumanBytes(row.state.stored_bytes), StatusOf(row), AgeOf(row.made_at_ms)});
    table.Print(context.out);
  }

 private:
  static const char* StatusOf(const storage::CheckpointRow& row) {
    if (row.named) return "named";
    return row.unfinished ? "unfinished" : "finished";
  }

  static void PrintAsJson(const Context& context, const std::vector<storage::CheckpointRow>& rows) {
    Json list = Json::array();
    for (const storage::CheckpointRow& row : rows) {
      list.push_back({{"state", StateJson(row.state)},
                      {"unfinished", row.unfinished},
                      {"named", row.named},
                      {"made_at", IsoTime(row.made_at_ms / 1000)}});
    }
    context.PrintJson({{"checkpoints", list}});
  }

  std::string name_;
};

}  // namespace

std::unique_ptr<Command> MakeCheckpointListCommand() {
  return std::make_unique<CheckpointListCommand>();
}

}  // namespace statelib::cli
