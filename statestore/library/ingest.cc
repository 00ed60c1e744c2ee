// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/ingest.h"

#include <algorithm>
#include <chrono>

#include "core/base/error.h"
#include "statestore/library/load.h"

namespace statelib::library {

namespace {

using Clock = std::chrono::steady_clock;
using tokenizer::AddSpecial;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The documents as one run of tokens, and what is recorded about each.
struct TokenizedDocuments {
  std::vector<TokenId> tokens;
  std::vector<storage::SourceRecord> sources;
  std::vector<storage::SourceText> texts;  // views into the documents
  double seconds = 0;
};

/// With which of its tokens each passage of a document begins, after `before` bytes of something
/// else. Exact where the tokens' bytes are the text's; else, as with a tokenizer that changes text,
/// in proportion.
std::vector<uint32_t> FirstTokens(const tokenizer::Tokenizer& tokenizer,
                                  std::span<const TokenId> tokens,
                                  const std::vector<storage::Passage>& passages, size_t before,
                                  size_t text_bytes) {
  std::vector<size_t> ends;
  ends.reserve(tokens.size());
  size_t bytes = 0;
  for (const TokenId token : tokens) ends.push_back(bytes += tokenizer.BytesOf(token).size());
  const double scale =
      static_cast<double>(bytes) / static_cast<double>(std::max<size_t>(text_bytes, 1));
  std::vector<uint32_t> first;
  size_t token = 0;
  for (const storage::Passage& passage : passages) {
    size_t place = before + passage.first_byte;
    if (bytes != text_bytes) place = static_cast<size_t>(static_cast<double>(place) * scale);
    while (token < ends.size() && ends[token] <= place) ++token;
    first.push_back(static_cast<uint32_t>(token));
  }
  return first;
}

TokenizedDocuments Tokenize(const Library& library, const LoadedModel& model,
                            std::span<const Document> documents, AddSpecial add_special,
                            const CancelFlag* cancel) {
  if (documents.empty()) Throw(ErrorKind::kInvalidArgument, "there is no document to read");
  const Clock::time_point start = Clock::now();
  TokenizedDocuments all;
  for (const Document& document : documents) {
    if (cancel != nullptr) cancel->Check();
    const auto tokens = model.runtime->tokenizer().Encode(document.text, add_special);
    all.tokens.insert(all.tokens.end(), tokens.begin(), tokens.end());
    // Names go to terminals and into bundles: what is not plain text is written out.
    const SourceFile file =
        document.file.value_or(SourceFile{document.text.size(), HashOf(AsBytes(document.text))});
    all.sources.push_back({storage::Escaped(document.name), file.size_bytes, file.digest,
                           tokens.size(), library.now_ms()});
    const std::string_view searched =
        std::string_view(document.text)
            .substr(std::min(document.before_bytes, document.text.size()));
    all.texts.push_back(
        {all.texts.size(), searched,
         FirstTokens(model.runtime->tokenizer(), tokens, storage::Passages(searched),
                     document.before_bytes, document.text.size())});
    add_special = AddSpecial::kNo;  // those belong to the beginning of the whole history
  }
  if (all.tokens.empty()) {
    Throw(ErrorKind::kInvalidArgument, "{}: there is no text to read",
          storage::Escaped(documents[0].name));
  }
  all.seconds = SecondsSince(start);
  return all;
}

void CheckTarget(const storage::Reference& reference) {
  storage::CheckName(reference.name);
  storage::CheckTag(reference.tag);
  if (!reference.version) return;
  Throw(ErrorKind::kInvalidArgument,
        "{}: a version cannot be written to; leave out '@{}' to add the next one", reference.Text(),
        *reference.version);
}

/// A state that has read exactly this history, if the library holds one that can be used.
std::optional<storage::StateRow> FindRead(const Library& library, const LoadedModel& model,
                                          const History& history, bool keep_tokens) {
  const storage::Repository& repository = library.repository();
  for (const storage::StateRow& row : repository.index().states().FindByHistory(
           model.identity.fingerprint, model.runtime->profile(), history)) {
    if (row.tokens_kept == keep_tokens && repository.objects().IsSound(row.id)) return row;
  }
  return std::nullopt;
}

/// Reads tokens into the state that `base` gives, or an empty one, and saves it.
IngestResult ReadAndSave(Library& library, const LoadedModel& model, TokenizedDocuments documents,
                         SaveRequest request, const IngestOptions& options) {
  IngestResult result;
  const storage::ResolvedState* base = request.parent ? &*request.parent : nullptr;
  History history = base != nullptr ? base->state.history : History();
  history.Append(documents.tokens);
  const bool keep_tokens = request.keep_tokens && (base == nullptr || base->state.tokens_kept);
  request.tokens_after = documents.tokens;
  request.sources = documents.sources;
  request.texts = documents.texts;

  // What goes on from values of a lossy codec is another state than the exact one of these tokens.
  const bool from_exact = base == nullptr || base->state.profile == model.runtime->profile();
  const auto read_before =
      from_exact ? FindRead(library, model, history, keep_tokens) : std::nullopt;
  engine::State state = [&] {
    if (read_before)
      return LoadState(library, model, {*read_before, std::nullopt, std::nullopt}).state;
    if (base != nullptr) return LoadState(library, model, *base).state;
    return model.runtime->Empty();
  }();
  result.tokens_restored = state.token_count();
  const std::span<const TokenId> rest =
      read_before ? std::span<const TokenId>() : std::span<const TokenId>(documents.tokens);
  const Clock::time_point start = Clock::now();
  engine::AdvanceControl control;
  control.cancel = options.cancel;
  if (options.on_progress) {
    control.on_progress = [&](uint64_t done) { options.on_progress(done, rest.size()); };
    options.on_progress(0, rest.size());
  }
  model.runtime->Advance(state, rest, control);
  result.read_seconds = SecondsSince(start);
  result.tokens_read = rest.size();
  if (options.cancel != nullptr) options.cancel->Check();
  result.saved = SaveState(library, model, state, request);
  result.tokenize_seconds = documents.seconds;
  result.sources = std::move(documents.sources);
  return result;
}

}  // namespace

IngestResult Ingest(Library& library, const LoadedModel& model, std::span<const Document> documents,
                    const storage::Reference& reference, const IngestOptions& options) {
  CheckTarget(reference);
  SaveRequest request;
  request.reference = reference;
  request.operation = storage::Operation::kIngest;
  request.keep_tokens = options.keep_tokens;
  request.codec = options.codec;
  return ReadAndSave(library, model,
                     Tokenize(library, model, documents, AddSpecial::kYes, options.cancel),
                     std::move(request), options);
}

IngestResult Append(Library& library, const LoadedModel& model, const storage::ResolvedState& base,
                    std::span<const Document> documents, const storage::Reference& reference,
                    const IngestOptions& options) {
  CheckTarget(reference);
  CheckFits(library, model, base);
  SaveRequest request;
  request.reference = reference;
  request.operation = storage::Operation::kAppend;
  request.parent = base;
  request.keep_tokens = options.keep_tokens;
  request.codec = options.codec;
  return ReadAndSave(library, model,
                     Tokenize(library, model, documents, AddSpecial::kNo, options.cancel),
                     std::move(request), options);
}

}  // namespace statelib::library
