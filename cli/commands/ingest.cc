// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/ingest.h"

#include <algorithm>

#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/documents.h"
#include "cli/library_access.h"
#include "cli/state_batch.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "statestore/library/state_names.h"

namespace statelib::cli {

namespace {

class IngestCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_,
                         "What to call the state; the tag is 'latest' where none is given",
                         {.shown_as = "NAME[:TAG]", .required = true});
    AddReadingOptions(declaration, reading_);
    declaration.Flag("--each", each_,
                     "One state a file, several read side by side: NAME/ and the file's place in "
                     "its folder, without the extension where that is no other file's; what is "
                     "neither a letter, a digit nor one of . _ - becomes a -");
    AddModelOptions(declaration, model_);
    AddComputeOptions(declaration, runtime_options_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib ingest handbook handbook.md\n"
        "  statelib ingest minutes:april agenda.md minutes.md\n"
        "  statelib ingest report report.pdf\n"
        "  statelib ingest project docs --include '*.md' --heading '# {path}\\n\\n'\n"
        "  statelib ingest notes notes-folder --each\n"
        "  git log | statelib ingest changes -\n");
  }

  void Run(Context& context) override {
    const storage::Reference reference = storage::Reference::Parse(name_);
    if (each_) return RunEach(context, reference);
    std::vector<Unread> unread;
    const std::vector<library::Document> documents = ReadDocuments(context, reading_, &unread);
    library::Library library = OpenLibrary(context, library::Library::Access::kCreate);
    const library::LoadedModel model =
        LoadChosenModel(context, library, model_, nullptr, runtime_options_);
    PrintReading(context,
                 ReadWithProgress(context, reading_,
                                  [&](const library::IngestOptions& options) {
                                    return library::Ingest(library, model, documents, reference,
                                                           options);
                                  }),
                 unread);
  }

 private:
  void RunEach(Context& context, const storage::Reference& prefix) const {
    std::vector<Unread> unread;
    const std::vector<PlannedState> states = Plan(context, prefix, &unread);
    TellUnread(context, unread);
    library::Library library = OpenLibrary(context, library::Library::Access::kCreate);
    ModelWhenNeeded model(context, library, model_, runtime_options_);
    const BatchReport report =
        MakeStates(context, library, model, states, [&](const StateOutcome& outcome) {
          if (context.options.json) return;
          TellOutcome(context, states[outcome.planned], outcome);
        });
    if (context.options.json) {
      Json list = Json::array();
      for (const StateOutcome& outcome : report.outcomes)
        list.push_back(OutcomeJson(states[outcome.planned], outcome));
      context.PrintJson({{"states", std::move(list)}, {"unread", UnreadJson(unread)}});
    } else {
      context.Tell(Shown::Lines(SummaryText(report)), "");
    }
    ThrowIfFailed(report);
  }

  /// A state for each file, before any of them is read.
  std::vector<PlannedState> Plan(const Context& context, const storage::Reference& prefix,
                                 std::vector<Unread>* unread) const {
    if (std::find(reading_.files.begin(), reading_.files.end(), "-") != reading_.files.end())
      Throw(ErrorKind::kInvalidArgument,
            "standard input (-) has no name to make a state's of; leave out --each");
    if (!reading_.separator.empty())
      Throw(ErrorKind::kInvalidArgument,
            "--separator stands between files of one state, --each makes one of every file; leave "
            "out one");
    const std::vector<FileToRead> files =
        ListFiles(context, reading_.files, FolderOptionsOf(reading_), unread);
    if (files.empty())
      Throw(ErrorKind::kInvalidArgument, "no document in {}", Printable(reading_.files.front()));
    std::vector<library::FileToName> places;
    for (const FileToRead& file : files) places.push_back({file.relative, file.name});
    const std::vector<storage::Reference> names = library::NamesForFiles(prefix, places);
    const library::IngestOptions options = IngestOptionsOf(context, reading_);
    DocumentReader(context, TemplateOf(reading_));  // refuses a wrong heading
    std::vector<PlannedState> states;
    for (size_t i = 0; i < files.size(); ++i) states.push_back({names[i], {files[i]}, options});
    return states;
  }

  std::string name_;
  bool each_ = false;
  ReadingOptions reading_;
  ModelChoice model_;
  engine::RuntimeOptions runtime_options_;
};

}  // namespace

std::unique_ptr<Command> MakeIngestCommand() { return std::make_unique<IngestCommand>(); }

}  // namespace statelib::cli
