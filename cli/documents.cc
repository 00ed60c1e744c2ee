// SPDX-License-Identifier: Apache-2.0
#include "cli/documents.h"

#include <algorithm>

#include "cli/facts.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/quantities.h"
#include "core/base/error.h"
#include "core/base/printable.h"

namespace statelib::cli {

void AddReadingOptions(Declaration& declaration, ReadingOptions& options) {
  declaration.Argument("FILE", &options.files,
                       "Documents (text, Markdown, HTML, PDF, DOCX, EPUB), read in this order, or "
                       "folders of them; - "
                       "is standard input",
                       {.shown_as = "FILE", .required = true});
  declaration.Option(
      "--include", &options.folders.include,
      "Of folders, only files that such a pattern matches, as '*.md'; may be repeated",
      {.shown_as = "PATTERN"});
  declaration.Option("--exclude", &options.folders.exclude,
                     "Of folders, neither files nor folders that such a pattern matches",
                     {.shown_as = "PATTERN"});
  declaration.Flag("--hidden", options.folders.hidden,
                   "Of folders, those files too whose names begin with a dot");
  declaration.Flag("--no-ignore", options.no_ignore_files,
                   "Of folders, those files too that a .gitignore leaves out");
  declaration.Option("--separator", &options.separator,
                     "What stands between two files, as '\\n---\\n' (default: nothing)", {});
  declaration.Option("--heading", &options.heading,
                     "What stands before each file, as '# {path}\\n\\n'; also {name} and {stem}",
                     {});
  declaration.Flag("--forget-tokens", options.forget_tokens,
                   "Keep only the count and the hash of the tokens that were read");
  AddCodecOptions(declaration, options.codec);
  declaration.Flag("--no-reuse", options.no_reuse,
                   "Read every token, even where a stored state has read it already");
  declaration.Option("--checkpoint-every", &options.checkpoint_stride_tokens,
                     "Leave a checkpoint after every N tokens and each file; 0 leaves none",
                     {.shown_as = "N", .shows_default = true});
}

documents::DocumentTemplate TemplateOf(const ReadingOptions& options) {
  return {documents::Unescaped(options.separator), documents::Unescaped(options.heading)};
}

documents::FolderOptions FolderOptionsOf(const ReadingOptions& options) {
  documents::FolderOptions folders = options.folders;
  folders.ignore_files = !options.no_ignore_files;
  return folders;
}

library::IngestOptions IngestOptionsOf(const Context& context, const ReadingOptions& options) {
  library::IngestOptions ingest;
  ingest.keep_tokens = !options.forget_tokens;
  ingest.codec = CodecRequestOf(context, options.codec);
  ingest.reuse = !options.no_reuse;
  ingest.checkpoint_stride_tokens = options.checkpoint_stride_tokens;
  const documents::DocumentTemplate how = TemplateOf(options);
  ingest.text_template = {how.separator, how.heading};
  ingest.cancel = &context.cancel;
  return ingest;
}

std::vector<library::Document> ReadFiles(DocumentReader& reader,
                                         const std::vector<FileToRead>& files,
                                         std::vector<Unread>* unread,
                                         const std::function<void(size_t done)>& on_file) {
  constexpr size_t kTotalBytesMax = size_t{1} << 30;
  std::vector<library::Document> read;
  size_t total_bytes = 0;
  std::optional<Error> first_error;
  for (const FileToRead& file : files) {
    if (on_file) on_file(static_cast<size_t>(&file - files.data()));
    std::optional<library::Document> document;
    try {
      document = reader.Read(file, read.empty());
    } catch (const Error& error) {
      if (!file.found || error.kind() == ErrorKind::kCancelled) throw;
      if (!first_error) first_error = error;
      unread->push_back({file.name, error.what()});
    }
    if (!document) continue;
    total_bytes += document->text.size();
    if (total_bytes > kTotalBytesMax)
      Throw(ErrorKind::kInvalidArgument,
            "the documents have more than {} of text together; read them into several states",
            HumanBytes(kTotalBytesMax));
    read.push_back(std::move(*document));
  }
  if (read.empty() && first_error) throw *first_error;
  return read;
}

std::vector<library::Document> ReadDocuments(Context& context, const ReadingOptions& options,
                                             std::vector<Unread>* unread) {
  if (std::count(options.files.begin(), options.files.end(), "-") > 1)
    Throw(ErrorKind::kInvalidArgument, "standard input (-) can be read only once");
  DocumentReader reader(context, TemplateOf(options));
  const std::vector<FileToRead> files =
      ListFiles(context, options.files, FolderOptionsOf(options), unread);
  std::vector<library::Document> read;
  {
    ProgressBar bar(context.err, "opening documents", "file");
    read = ReadFiles(reader, files, unread, [&](size_t done) { bar.Update(done, files.size()); });
  }
  reader.SayNotes();
  TellUnread(context, *unread);
  if (read.empty())
    Throw(ErrorKind::kInvalidArgument, "no document in {}", Printable(options.files.front()));
  return read;
}

Json ReadingJson(const library::IngestResult& result) {
  Json json = SavedJson(result.saved);
  json["tokens_restored"] = result.tokens_restored;
  json["reused_state"] = result.reused ? Json(result.reused->id.Hex()) : Json(nullptr);
  json["tokens_read"] = result.tokens_read;
  json["checkpoints"] = result.checkpoints;
  json["tokenize_ms"] = result.tokenize_seconds * 1000;
  json["read_ms"] = result.read_seconds * 1000;
  json["sources"] = SourcesJson(result.sources);
  return json;
}

Shown ReadingText(const Context& context, const library::IngestResult& result, bool with_time) {
  const library::SavedState& saved = result.saved;
  std::string did;
  if (result.tokens_restored > 0)
    did = fmt::format("reused {} of {}, ", HumanCount(result.tokens_restored),
                      HumanCount(saved.state.history.token_count(), "token"));
  did += result.tokens_read == 0 ? "nothing had to be read"
                                 : HumanCount(result.tokens_read, "token") + " read";
  if (with_time && result.tokens_read > 0)
    did += fmt::format(" in {} ({} tokens/s)", HumanDuration(result.read_seconds),
                       HumanRate(static_cast<double>(result.tokens_read) / result.read_seconds));
  return Shown::Format("{}: {}; {}\n", context.out.Paint(Colour::kBold, saved.reference.Text()),
                       did, StateText(saved.state)) +
         Shown::Lines(StoringText(saved));
}

void PrintReading(const Context& context, const library::IngestResult& result,
                  const std::vector<Unread>& unread) {
  if (context.options.json) {
    Json json = ReadingJson(result);
    json["unread"] = UnreadJson(unread);
    return context.PrintJson(json);
  }
  context.Tell(ReadingText(context, result, true), result.saved.reference.Text());
}

library::IngestResult ReadWithProgress(
    const Context& context, const ReadingOptions& options,
    const std::function<library::IngestResult(const library::IngestOptions&)>& read) {
  const std::string what =
      options.files.size() == 1 ? options.files.front() : HumanCount(options.files.size(), "file");
  ProgressBar bar(context.err, "reading " + what, "token");
  library::IngestOptions ingest_options = IngestOptionsOf(context, options);
  ingest_options.on_progress = [&bar](uint64_t done, uint64_t total) { bar.Update(done, total); };
  return read(ingest_options);
}

}  // namespace statelib::cli
