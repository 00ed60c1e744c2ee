// SPDX-License-Identifier: Apache-2.0
#include "cli/documents.h"

#include <algorithm>

#include "cli/facts.h"
#include "cli/input.h"
#include "cli/terminal/printable.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/quantities.h"
#include "core/base/error.h"
#include "statestore/documents/extractor.h"
#include "statestore/documents/template.h"

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

namespace {

using Notes = std::vector<std::string>;

/// What of a document was not plain.
void Note(const std::string& name, const documents::ExtractedText& read, Notes& notes) {
  const std::string shown = Printable(name, LineBreaks::kEscape);
  if (!read.encoding.empty() && !read.encoding.starts_with("UTF-"))
    notes.push_back(fmt::format("note: {}: read as {}", shown, read.encoding));
  const size_t invalid = documents::CountUtf8(read.text).invalid_bytes;
  if (invalid > 0)
    notes.push_back(fmt::format("warning: {}: {} not UTF-8 and read as U+FFFD", shown,
                                invalid == 1 ? "1 byte is" : HumanCount(invalid, "byte") + " are"));
}

/// A file to read, and whether it was named or found in a folder.
struct FileToRead {
  std::string path;
  bool found = false;
};

std::vector<FileToRead> FilesToRead(const Context& context, const ReadingOptions& options) {
  documents::FolderOptions folders = options.folders;
  folders.ignore_files = !options.no_ignore_files;
  std::vector<FileToRead> files;
  for (const std::string& path : options.files) {
    std::error_code ignored;
    if (path == "-" || !std::filesystem::is_directory(path, ignored)) {
      files.push_back({path, false});
      continue;
    }
    for (const auto& file : documents::FilesIn(path, folders, &context.cancel))
      files.push_back({file.string(), true});
  }
  return files;
}

/// One file, or nothing where one that was found in a folder holds no text.
std::optional<library::Document> ReadOne(const Context& context,
                                         const documents::Extractor& extractor,
                                         const FileToRead& file, Notes& notes) {
  Input input = Input::Open(file.path, context.cancel);
  std::string bytes = input.ReadAll(documents::kFileBytesMax);
  const library::SourceFile source{bytes.size(), HashOf(AsBytes(bytes))};
  try {
    documents::ExtractedText read =
        extractor.Extract(std::move(bytes), input.name(), &context.cancel);
    if (file.found && read.text.empty()) return std::nullopt;
    Note(input.name(), read, notes);
    return library::Document{file.path, std::move(read.text), source};
  } catch (const Error& error) {
    if (!file.found || error.kind() != ErrorKind::kUnsupported) throw;
    notes.push_back("note: skipped: " + Printable(error.what(), LineBreaks::kEscape));
    return std::nullopt;
  }
}

}  // namespace

std::vector<library::Document> ReadDocuments(const Context& context,
                                             const ReadingOptions& options) {
  constexpr size_t kTotalBytesMax = size_t{1} << 30;
  if (std::count(options.files.begin(), options.files.end(), "-") > 1)
    Throw(ErrorKind::kInvalidArgument, "standard input (-) can be read only once");
  const documents::Template how{documents::Unescaped(options.separator),
                                documents::Unescaped(options.heading)};
  documents::Before(how, "", true);  // a wrong heading is said before anything is read
  const documents::Extractor extractor(HelperProgram("statelib-extract"));
  const std::vector<FileToRead> files = FilesToRead(context, options);
  std::vector<library::Document> read;
  Notes notes;
  size_t total_bytes = 0;
  std::optional<ProgressBar> bar(std::in_place, context.err, "opening documents", "file");
  for (const FileToRead& file : files) {
    bar->Update(static_cast<uint64_t>(&file - files.data()), files.size());
    std::optional<library::Document> document = ReadOne(context, extractor, file, notes);
    if (!document) continue;
    const std::string before = documents::Before(how, document->name, read.empty());
    document->before_bytes = before.size();
    document->text.insert(0, before);
    total_bytes += document->text.size();
    if (total_bytes > kTotalBytesMax)
      Throw(ErrorKind::kInvalidArgument,
            "the documents have more than {} of text together; read them into several states",
            HumanBytes(kTotalBytesMax));
    read.push_back(std::move(*document));
  }
  bar.reset();  // before the notes, so that they stand alone
  for (const std::string& note : notes) context.err.Print("statelib: {}\n", note);
  if (read.empty())
    Throw(ErrorKind::kInvalidArgument, "no document in {}",
          Printable(options.files.front(), LineBreaks::kEscape));
  context.err.Flush();
  return read;
}

void PrintReading(const Context& context, const library::IngestResult& result) {
  const library::SavedState& saved = result.saved;
  if (context.options.json) {
    Json json = SavedJson(saved);
    json["tokens_restored"] = result.tokens_restored;
    json["reused_state"] = result.reused ? Json(result.reused->id.Hex()) : Json(nullptr);
    json["tokens_read"] = result.tokens_read;
    json["checkpoints"] = result.checkpoints;
    json["tokenize_ms"] = result.tokenize_seconds * 1000;
    json["read_ms"] = result.read_seconds * 1000;
    json["sources"] = SourcesJson(result.sources);
    return context.PrintJson(json);
  }
  std::string did;
  if (result.tokens_restored > 0)
    did = fmt::format("reused {} of {}, ", HumanCount(result.tokens_restored),
                      HumanCount(saved.state.history.token_count(), "token"));
  did +=
      result.tokens_read == 0
          ? "nothing had to be read"
          : fmt::format("{} read in {} ({} tokens/s)", HumanCount(result.tokens_read, "token"),
                        HumanDuration(result.read_seconds),
                        HumanRate(static_cast<double>(result.tokens_read) / result.read_seconds));
  context.out.Print("{}: {}; {}\n", context.out.Paint(Colour::kBold, saved.reference.Text()), did,
                    StateText(saved.state));
  if (saved.fidelity) context.out.Print("{}\n", FidelityText(*saved.fidelity));
}

library::IngestResult ReadWithProgress(
    const Context& context, const ReadingOptions& options,
    const std::function<library::IngestResult(const library::IngestOptions&)>& read) {
  const std::string what =
      options.files.size() == 1 ? options.files.front() : HumanCount(options.files.size(), "file");
  ProgressBar bar(context.err, "reading " + what, "token");
  library::IngestOptions ingest_options;
  ingest_options.keep_tokens = !options.forget_tokens;
  ingest_options.codec = CodecRequestOf(context, options.codec);
  ingest_options.reuse = !options.no_reuse;
  ingest_options.checkpoint_stride_tokens = options.checkpoint_stride_tokens;
  ingest_options.cancel = &context.cancel;
  ingest_options.on_progress = [&bar](uint64_t done, uint64_t total) { bar.Update(done, total); };
  return read(ingest_options);
}

}  // namespace statelib::cli
