// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/key_access.h"
#include "cli/library_access.h"
#include "cli/terminal/progress.h"
#include "cli/transfer.h"
#include "statestore/library/exchange.h"

namespace statelib::cli {

namespace {

class ImportCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("FILE", &file_,
                         "A bundle that `statelib export` wrote; - is standard input",
                         {.shown_as = "FILE", .required = true});
    declaration.Flag("--dry-run", dry_run_,
                     "Verify the bundle and say what it carries, and no more");
    AddSignerOptions(declaration, policy_);
    AddMaxBytesOption(declaration, max_bytes_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib import handbook.statelib --dry-run\n"
        "  statelib import handbook.statelib\n"
        "  statelib import handbook.statelib --allow-unsigned\n"
        "  ssh host statelib export handbook -o - | statelib import -\n");
  }

  void Run(Context& context) override {
    library::Library library = OpenLibrary(context, library::Library::Access::kCreate);
    const library::BundleReport report = Import(context, library);
    if (context.options.json) {
      Json json = ImportJson(report.import, dry_run_);
      json["signer"] = SignerJson(report.signer);
      return context.PrintJson(json);
    }
    PrintImport(context, report.import, dry_run_);
    context.Tell(Shown::Format("{}{}\n", SignerText(report.signer), Advice(report.signer)), "");
  }

 private:
  library::BundleReport Import(const Context& context, library::Library& library) const {
    library::KeyRing keys = OpenKeys(context);
    storage::BundleFile bundle = Open(context);
    const std::filesystem::path path = file_;
    ProgressBar bar(context.err, "importing", "byte");
    storage::ImportOptions options;
    options.dry_run = dry_run_;
    options.max_state_bytes = MaxBytesOf(max_bytes_);
    options.control = {&context.cancel,
                       [&bar](uint64_t done, uint64_t total) { bar.Update(done, total); }};
    return library::Import(library, bundle,
                           file_ == "-" ? "standard input" : path.filename().string(), keys,
                           policy_, options, EmbeddedModel());
  }

  /// A file is read where it lies; what comes once, as from a pipe, is collected first.
  storage::BundleFile Open(const Context& context) const {
    std::error_code ignored;
    const auto type = std::filesystem::status(file_, ignored).type();
    using Type = std::filesystem::file_type;
    if (file_ != "-" && type != Type::fifo && type != Type::character && type != Type::socket)
      return storage::BundleFile::Open(file_);
    Input input = Input::Open(file_, context.cancel);
    storage::BundleSpool spool(input.name());
    input.ForEachPiece(SIZE_MAX, [&](std::string_view piece) { spool.Append(AsBytes(piece)); });
    return std::move(spool).Finish();
  }

  static const char* Advice(const library::SignerReport& signer) {
    if (signer.accepted) return "";
    return signer.signer ? "; the import needs --trust-signer"
                         : "; the import needs --allow-unsigned";
  }

  std::string file_;
  bool dry_run_ = false;
  std::string max_bytes_;
  library::SignerPolicy policy_;
};

}  // namespace

std::unique_ptr<Command> MakeImportCommand() { return std::make_unique<ImportCommand>(); }

}  // namespace statelib::cli
