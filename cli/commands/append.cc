// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/documents.h"
#include "cli/library_access.h"
#include "statestore/library/ingest.h"

namespace statelib::cli {

namespace {

class AppendCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_, "The state to go on from",
                         {.shown_as = "NAME[:TAG][@N]", .required = true});
    AddReadingOptions(declaration, reading_);
    AddResultOption(declaration, target_);
    AddModelOptions(declaration, model_);
    AddComputeOptions(declaration, runtime_options_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib append minutes may.md\n"
        "  statelib append handbook@1 changes.md --as handbook:draft\n");
  }

  void Run(Context& context) override {
    std::vector<Unread> unread;
    std::vector<library::Document> documents = ReadDocuments(context, reading_, &unread);
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    const storage::ResolvedState base = library.Resolve(name_);
    const library::LoadedModel model =
        LoadChosenModel(context, library, model_, &base, runtime_options_);
    const storage::Reference target = ResultReference(base, name_, target_);
    PrintReading(context,
                 ReadWithProgress(context, reading_,
                                  [&](const library::IngestOptions& options) {
                                    return library::Append(library, model, base, documents, target,
                                                           options);
                                  }),
                 unread);
  }

 private:
  std::string name_;
  ReadingOptions reading_;
  std::string target_;
  ModelChoice model_;
  engine::RuntimeOptions runtime_options_;
};

}  // namespace

std::unique_ptr<Command> MakeAppendCommand() { return std::make_unique<AppendCommand>(); }

}  // namespace statelib::cli
