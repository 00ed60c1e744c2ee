// SPDX-License-Identifier: Apache-2.0
#include "cli/carrying.h"
#include "cli/commands.h"
#include "cli/key_access.h"
#include "cli/library_access.h"
#include "cli/terminal/printable.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/quantities.h"
#include "statestore/library/exchange.h"

namespace statelib::cli {

namespace {

class ExportCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &selection_.names, "States to export",
                         {.shown_as = "NAME[:TAG][@N]", .required = true});
    declaration.Option("-o,--output", &file_, "The bundle to write; one that exists is replaced",
                       {.shown_as = "FILE", .required = true});
    AddCarryingOptions(declaration, selection_, left_out_);
    AddSigningOptions(declaration, signing_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib export handbook -o handbook.statelib\n"
        "  statelib export minutes:april minutes:may -o minutes.statelib\n"
        "  statelib export handbook --all-versions --sign alice -o handbook.statelib\n"
        "  statelib export contract --no-tokens --no-sources -o contract.statelib\n");
  }

  void Run(Context& context) override {
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const std::optional<SigningKey> key = ChooseSigningKey(context, signing_);
    const storage::ExportReport report = Export(context, library, key ? &*key : nullptr);
    if (context.options.json)
      return context.PrintJson({{"file", file_},
                                {"states", report.states},
                                {"objects", report.objects},
                                {"file_bytes", report.file_bytes},
                                {"signer", key ? Json(key->public_key().Text()) : Json(nullptr)}});
    context.out.Print("{}: {} in {}, {}, {}\n", Printable(file_, LineBreaks::kEscape),
                      HumanCount(report.states, "state"), HumanCount(report.objects, "object"),
                      HumanBytes(report.file_bytes),
                      key ? "signed by " + key->public_key().ShortText() : "not signed");
  }

 private:
  storage::ExportReport Export(const Context& context, const library::Library& library,
                               const SigningKey* key) const {
    ProgressBar bar(context.err, "exporting", "byte");
    storage::ExportOptions options;
    options.manifest = ToManifestOptions(left_out_);
    options.key = key;
    options.control = {&context.cancel,
                       [&bar](uint64_t done, uint64_t total) { bar.Update(done, total); }};
    return library::Export(library, selection_, file_, options);
  }

  library::Selection selection_;
  LeftOut left_out_;
  SigningOptions signing_;
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> MakeExportCommand() { return std::make_unique<ExportCommand>(); }

}  // namespace statelib::cli
