// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/repair.h"
#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/quantities.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "statestore/documents/document_template.h"
#include "statestore/storage/repair.h"

namespace statelib::cli {

namespace {

class RepairCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Flag("--rebuild", rebuild_,
                     "Make the index again even if nothing is wrong with it");
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib repair\n"
        "  statelib verify\n");
  }

  void Run(Context& context) override {
    const storage::RepairReport index = RepairIndex(context);
    const library::RestoredTexts texts = RestoreTexts(context);
    if (context.options.json)
      PrintAsJson(context, index, texts);
    else
      Print(context, index, texts);
    if (!index.lost.empty()) {
      Throw(ErrorKind::kCorrupt, "{} could not be brought back: {}",
            HumanCount(index.lost.size(), "thing"), index.lost.front());
    }
  }

 private:
  storage::RepairReport RepairIndex(Context& context) const {
    ProgressBar bar(context.err, "verifying", "object");
    storage::RepairOptions options;
    options.rebuild = rebuild_;
    options.now_ms = library::Library::SystemClock()();
    options.control.cancel = &context.cancel;
    options.control.on_progress = [&bar](uint64_t done, uint64_t total) {
      bar.Update(done, total);
    };
    return storage::RepairIndex(context.LibraryDirectory(), FileSystem::Real(), options);
  }

  static library::RestoredTexts RestoreTexts(Context& context) {
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    ProgressBar bar(context.err, "cutting texts again", "source");
    library::TextsOptions options;
    options.cancel = &context.cancel;
    options.on_progress = [&bar](uint64_t done, uint64_t total) { bar.Update(done, total); };
    options.before = [](const storage::SourceTemplate& how, const std::string& source,
                        bool is_first) {
      return documents::Before({how.separator, how.heading}, source, is_first);
    };
    return library::RestoreTexts(library, options);
  }

  static void Print(Context& context, const storage::RepairReport& index,
                    const library::RestoredTexts& texts) {
    const auto printable = [](const std::string& text) { return Printable(text); };
    if (context.options.quiet) return;  // what was lost is the error
    if (index.damage.empty()) {
      context.out.Print("nothing is wrong with the index\n");
    } else {
      context.out.Print("what was wrong: {}\n", printable(index.damage));
    }
    if (index.wrote_library_file) context.out.Print("wrote library.toml again\n");
    if (index.rebuilt) {
      context.out.Print(
          "made the index again from {}: {} with {}, {} ({} of them on the way to others), {}\n",
          HumanCount(index.records, "record"), HumanCount(index.names, "name"),
          HumanCount(index.versions, "version"), HumanCount(index.states, "state"),
          HumanCount(index.checkpoints, "checkpoint"), HumanCount(index.models, "model"));
      if (!index.damaged_index.empty())
        context.out.Print("the old one is kept as {}\n", printable(index.damaged_index.string()));
      if (index.unfinished_records > 0)
        context.out.Print("{} of changes that were cut off count for nothing\n",
                          HumanCount(index.unfinished_records, "record"));
      if (index.unneeded_objects > 0)
        context.out.Print("{} that no name leads to: gc removes them\n",
                          HumanCount(index.unneeded_objects, "object"));
    }
    for (const std::string& line : index.lost)
      context.out.Print("{}: {}\n", context.out.Paint(Colour::kRed, "lost"), printable(line));
    if (texts.restored > 0)
      context.out.Print("cut the text of {} again, for search\n",
                        HumanCount(texts.restored, "source"));
    if (texts.missing > 0) {
      context.out.Print("search does not find the text of {}; repair tries again when it is run\n",
                        HumanCount(texts.missing, "source"));
      for (const std::string& reason : texts.reasons)
        context.out.Print("  {}\n", printable(reason));
    }
  }

  static void PrintAsJson(Context& context, const storage::RepairReport& index,
                          const library::RestoredTexts& texts) {
    context.PrintJson({{"damage", index.damage},
                       {"wrote_library_file", index.wrote_library_file},
                       {"rebuilt", index.rebuilt},
                       {"damaged_index", index.damaged_index.string()},
                       {"names", index.names},
                       {"versions", index.versions},
                       {"states", index.states},
                       {"checkpoints", index.checkpoints},
                       {"models", index.models},
                       {"records", index.records},
                       {"unfinished_records", index.unfinished_records},
                       {"unneeded_objects", index.unneeded_objects},
                       {"lost", index.lost},
                       {"texts_restored", texts.restored},
                       {"texts_missing", texts.missing},
                       {"texts_missing_because", texts.reasons}});
  }

  bool rebuild_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeRepairCommand() { return std::make_unique<RepairCommand>(); }

}  // namespace statelib::cli
