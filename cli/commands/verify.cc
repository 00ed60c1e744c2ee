// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/rederivation.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/quantities.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "statestore/library/proof.h"
#include "statestore/storage/maintenance.h"

namespace statelib::cli {

namespace {

class VerifyCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Option("--rederive", &rederive_,
                       "Read the tokens of this state again, with the model's files as they are "
                       "now, and compare every byte",
                       {.shown_as = "NAME[:TAG][@N]"});
    declaration.Flag("--from-nothing", rederive_options_.from_nothing,
                     "With --rederive: start from nothing, not from a state proved before");
    AddModelOptions(declaration, model_);
    AddComputeOptions(declaration, runtime_options_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib verify\n"
        "  statelib verify --rederive handbook\n"
        "  statelib verify --library /backup/statelib --json\n");
  }

  void Run(Context& context) override {
    if (!rederive_.empty()) return Rederive(context);
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const storage::VerifyReport report = Verify(context, library);
    for (const std::string& warning : report.warnings)
      context.notes.Add(Notes::Kind::kWarning, warning);
    if (context.options.json)
      PrintAsJson(context, report);
    else
      Print(context, report);
    if (report.problems.empty()) return;
    Throw(ErrorKind::kCorrupt,
          "{} of {}; import the states from a bundle or ingest their documents again",
          HumanCount(report.problems.size(), "problem"), library.path().string());
  }

 private:
  void Rederive(Context& context) {
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    const storage::ResolvedState state = library.Resolve(rederive_);
    const library::LoadedModel model = LoadChosenModel(context, library, model_, &state,
                                                       runtime_options_, library::Trust::kNothing);
    const library::Rederivation found = [&] {
      ProgressBar bar(context.err, "reading again " + NameOf(state), "token");
      rederive_options_.cancel = &context.cancel;
      rederive_options_.on_progress = [&bar](uint64_t done, uint64_t total) {
        bar.Update(done, total);
      };
      return library::Rederive(library, model, state, rederive_options_);
    }();
    PrintRederivation(context, found);
    if (!found.equal_bytes && found.same_profile)
      Throw(ErrorKind::kCorrupt, "{} is not what its tokens give; ingest its documents again",
            NameOf(state));
    if (!found.wrong_on_the_way.empty())
      Throw(ErrorKind::kCorrupt, "{} of the same beginning {} not what the tokens give: {}",
            HumanCount(found.wrong_on_the_way.size(), "state"),
            found.wrong_on_the_way.size() == 1 ? "is" : "are",
            found.wrong_on_the_way.front().id.ShortHex());
  }

  static storage::VerifyReport Verify(const Context& context, const library::Library& library) {
    ProgressBar bar(context.err, "verifying", "state");
    storage::VerifyControl control;
    control.cancel = &context.cancel;
    control.on_progress = [&bar](uint64_t done, uint64_t total) { bar.Update(done, total); };
    return storage::Verify(library.repository(), control);
  }

  static void Print(Context& context, const storage::VerifyReport& report) {
    for (const storage::Problem& problem : report.problems) {
      context.out.Print("{}: {}\n", context.out.Paint(Colour::kRed, "damaged"),
                        Printable(problem.what));
      if (!problem.affects.empty())
        context.out.Print("  cannot be used: {}\n", fmt::join(problem.affects, ", "));
    }
    for (const std::string& stranger : report.strangers)
      context.out.Print("not an object, left alone: {}\n", Printable(stranger));
    if (context.options.quiet) return;
    context.out.Print(
        "read {}: {}, {}, {}", HumanBytes(report.bytes_read), HumanCount(report.states, "state"),
        HumanCount(report.tokens_objects, "tokens object"), HumanCount(report.references, "name"));
    if (report.unneeded_objects > 0)
      context.out.Print("; {} that gc would remove",
                        HumanCount(report.unneeded_objects, "unneeded object"));
    context.out.Write(report.problems.empty() ? "; all sound\n" : "\n");
  }

  static void PrintAsJson(Context& context, const storage::VerifyReport& report) {
    Json problems = Json::array();
    for (const storage::Problem& problem : report.problems)
      problems.push_back({{"what", problem.what}, {"affects", problem.affects}});
    context.PrintJson({{"sound", report.problems.empty()},
                       {"states", report.states},
                       {"tokens_objects", report.tokens_objects},
                       {"references", report.references},
                       {"records", report.records},
                       {"bytes_read", report.bytes_read},
                       {"unneeded_objects", report.unneeded_objects},
                       {"problems", problems},
                       {"strangers", report.strangers},
                       {"warnings", report.warnings}});
  }

  std::string rederive_;
  library::RederiveOptions rederive_options_;
  ModelChoice model_;
  engine::RuntimeOptions runtime_options_;
};

}  // namespace

std::unique_ptr<Command> MakeVerifyCommand() { return std::make_unique<VerifyCommand>(); }

}  // namespace statelib::cli
