// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/ingest.h"

#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/documents.h"
#include "cli/library_access.h"

namespace statelib::cli {

namespace {

class IngestCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_,
                         "What to call the state; the tag is 'latest' where none is given",
                         {.shown_as = "NAME[:TAG]", .required = true});
    AddReadingOptions(declaration, reading_);
    AddModelOptions(declaration, model_);
    AddComputeOptions(declaration, runtime_options_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib ingest handbook handbook.md\n"
        "  statelib ingest minutes:april agenda.md minutes.md\n"
        "  statelib ingest report report.pdf\n"
        "  statelib ingest project docs --include '*.md' --heading '# {path}\\n\\n'\n"
        "  git log | statelib ingest changes -\n");
  }

  void Run(Context& context) override {
    const storage::Reference reference = storage::Reference::Parse(name_);
    const std::vector<library::Document> documents = ReadDocuments(context, reading_);
    library::Library library = OpenLibrary(context, library::Library::Access::kCreate);
    const library::LoadedModel model =
        LoadChosenModel(context, library, model_, nullptr, runtime_options_);
    PrintReading(context,
                 ReadWithProgress(context, reading_, [&](const library::IngestOptions& options) {
                   return library::Ingest(library, model, documents, reference, options);
                 }));
  }

 private:
  std::string name_;
  ReadingOptions reading_;
  ModelChoice model_;
  engine::RuntimeOptions runtime_options_;
};

}  // namespace

std::unique_ptr<Command> MakeIngestCommand() { return std::make_unique<IngestCommand>(); }

}  // namespace statelib::cli
