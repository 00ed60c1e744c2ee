// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/terminal/quantities.h"
#include "statestore/library/exchange.h"

namespace statelib::cli {

namespace {

const char* Remark(const storage::ImportedReference& imported) {
  if (imported.version_before) return "; it was that already";
  return imported.stored_before ? "; the library held the state already" : "";
}

class ImportCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("FILE", &file_, "A bundle that `statelib export` wrote",
                         {.shown_as = "FILE", .required = true});
    declaration.Flag("--dry-run", dry_run_,
                     "Verify the bundle and say what it carries, and no more");
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib import handbook.statelib --dry-run\n"
        "  statelib import handbook.statelib\n");
  }

  void Run(Context& context) override {
    library::Library library = OpenLibrary(context, library::Library::Access::kCreate);
    storage::ImportOptions options;
    options.dry_run = dry_run_;
    options.cancel = &context.cancel;
    const storage::ImportReport report = library::Import(library, file_, options);
    if (context.options.json) return PrintAsJson(context, report);
    for (const storage::ImportedReference& imported : report.references)
      context.out.Print("{}{}: {}, {}{}\n", dry_run_ ? "would import " : "",
                        context.out.Paint(Colour::kBold, imported.reference.Text()),
                        HumanCount(imported.state.history.token_count(), "token"),
                        StateText(imported.state), Remark(imported));
    context.out.Print("{} of {} {}, {} there already\n", HumanCount(report.objects_added, "object"),
                      HumanBytes(report.bytes_added), dry_run_ ? "would be added" : "added",
                      report.objects_present);
  }

 private:
  void PrintAsJson(Context& context, const storage::ImportReport& report) const {
    Json references = Json::array();
    for (const storage::ImportedReference& imported : report.references)
      references.push_back({{"reference", ReferenceJson(imported.reference)},
                            {"state", StateJson(imported.state)},
                            {"model_name", imported.model_name},
                            {"stored_before", imported.stored_before},
                            {"version_before", imported.version_before}});
    context.PrintJson({{"dry_run", dry_run_},
                       {"references", references},
                       {"objects_added", report.objects_added},
                       {"objects_present", report.objects_present},
                       {"bytes_added", report.bytes_added}});
  }

  std::string file_;
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeImportCommand() { return std::make_unique<ImportCommand>(); }

}  // namespace statelib::cli
