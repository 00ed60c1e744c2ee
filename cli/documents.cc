// SPDX-License-Identifier: Apache-2.0
#include "cli/documents.h"

#include <algorithm>

#include "cli/facts.h"
#include "cli/input.h"
#include "cli/terminal/printable.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/quantities.h"
#include "core/base/error.h"
#include "core/tokenizer/utf8.h"

namespace statelib::cli {

void AddReadingOptions(Declaration& declaration, ReadingOptions& options) {
  declaration.Argument("FILE", &options.files,
                       "Documents of UTF-8 text, read in this order; - is standard input",
                       {.shown_as = "FILE", .required = true});
  declaration.Flag("--forget-tokens", options.forget_tokens,
                   "Keep only the count and the hash of the tokens that were read");
  AddCodecOptions(declaration, options.codec);
  declaration.Flag("--no-reuse", options.no_reuse,
                   "Read every token, even where a stored state has read it already");
  declaration.Option("--checkpoint-every", &options.checkpoint_stride_tokens,
                     "Leave a checkpoint after every N tokens and each file; 0 leaves none",
                     {.shown_as = "N", .shows_default = true});
}

std::vector<library::Document> ReadDocuments(const Context& context,
                                             const std::vector<std::string>& files) {
  if (std::count(files.begin(), files.end(), "-") > 1)
    Throw(ErrorKind::kInvalidArgument, "standard input (-) can be read only once");
  std::vector<library::Document> documents;
  for (const std::string& file : files) {
    Input input = Input::Open(file, context.cancel);
    std::string text = input.ReadAll(tokenizer::kTextBytesMax);
    const size_t invalid = CheckIsText(text, input.name());
    if (invalid > 0)
      context.err.Print("statelib: warning: {}: {} not UTF-8 and read as U+FFFD\n",
                        Printable(input.name(), LineBreaks::kEscape),
                        invalid == 1 ? "1 byte is" : HumanCount(invalid, "byte") + " are");
    documents.push_back({file, std::move(text)});
  }
  context.err.Flush();
  return documents;
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
