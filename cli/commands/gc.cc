// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/terminal/quantities.h"
#include "statestore/library/packed_weights.h"
#include "statestore/storage/maintenance.h"

namespace statelib::cli {

namespace {

class GcCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Flag("--dry-run", dry_run_, "Say what would be removed, and remove nothing");
    declaration.Option("--grace", &grace_minutes_,
                       "Keep what lost its last name less than so many minutes ago",
                       {.shown_as = "MINUTES", .shows_default = true, .at_most = 60 * 24 * 365});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib gc --dry-run\n"
        "  statelib gc\n"
        "  statelib gc --grace 0\n");
  }

  void Run(Context& context) override {
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    const storage::GarbageReport report = storage::CollectGarbage(
        library.repository(), {.dry_run = dry_run_,
                               .now_ms = library.now_ms(),
                               .grace_ms = static_cast<int64_t>(grace_minutes_) * 60'000});
    const library::StalePackedWeights weights = library::RemoveStaleWeights(library, dry_run_);
    if (context.options.json) {
      return context.PrintJson({{"dry_run", dry_run_},
                                {"states", StatesJson(report.states)},
                                {"thinned_checkpoints", StatesJson(report.thinned)},
                                {"waiting_states", report.waiting},
                                {"objects", report.objects},
                                {"object_bytes", report.object_bytes},
                                {"temporary_files", report.temporaries},
                                {"records", report.records},
                                {"packed_weights", weights.files},
                                {"packed_weights_bytes", weights.bytes}});
    }
    if (context.options.quiet) {
      for (const storage::StateRow& state : report.states) context.PrintName(state.id.Hex());
      for (const storage::StateRow& state : report.thinned) context.PrintName(state.id.Hex());
      return;
    }
    PrintReport(context, report, weights);
  }

 private:
  void PrintReport(Context& context, const storage::GarbageReport& report,
                   const library::StalePackedWeights& weights) const {
    std::string thinned;
    if (!report.thinned.empty())
      thinned =
          fmt::format(", {} beyond the budget", HumanCount(report.thinned.size(), "checkpoint"));
    context.out.Print(
        "{} {} that no name leads to{} and {}, {} in all\n", dry_run_ ? "would remove" : "removed",
        HumanCount(report.states.size(), "state"), thinned,
        HumanCount(report.objects + report.temporaries, "file"), HumanBytes(report.object_bytes));
    if (weights.files > 0)
      context.out.Print(
          "{} {} of packed weights of models that are gone or of another statelib, {}\n",
          dry_run_ ? "would remove" : "removed", HumanCount(weights.files, "file"),
          HumanBytes(weights.bytes));
    if (report.waiting > 0)
      context.out.Print("{} lost the last name less than {} ago: --grace 0 removes {} too\n",
                        HumanCount(report.waiting, "state"), HumanCount(grace_minutes_, "minute"),
                        report.waiting == 1 ? "it" : "them");
  }

  static Json StatesJson(const std::vector<storage::StateRow>& states) {
    Json json = Json::array();
    for (const storage::StateRow& state : states) json.push_back(StateJson(state));
    return json;
  }

  bool dry_run_ = false;
  int grace_minutes_ = 10;
};

}  // namespace

std::unique_ptr<Command> MakeGcCommand() { return std::make_unique<GcCommand>(); }

}  // namespace statelib::cli
