// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/ingest.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/base/error.h"
#include "statestore/library/load.h"
#include "statestore/library/prefix.h"
#include "statestore/storage/maintenance.h"

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

/// Where a document lies, so that `status` finds it from any folder; empty when it is not a file.
std::string PathOf(const std::string& name) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(name, error)) return "";
  const auto path = std::filesystem::absolute(name, error);
  return error ? "" : path.lexically_normal().string();
}

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
                           tokens.size(), library.now_ms(), PathOf(document.name)});
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

/// The tokens that a stored state has read, from the first; empty when they are not kept.
std::vector<TokenId> TokensBefore(const Library& library, const storage::ResolvedState& base) {
  if (!base.state.tokens_kept) return {};
  auto tokens = TokensOf(library, base.state.id);
  if (!tokens) {
    Throw(ErrorKind::kNotFound, "the state {} was removed meanwhile; run the command again",
          base.state.id.ShortHex());
  }
  return std::move(*tokens);
}

/// Reads a run of tokens into a state and leaves checkpoints on the way.
class Reading {
 public:
  Reading(Library& library, const LoadedModel& model, const IngestOptions& options,
          bool keep_tokens, bool exact)
      : library_(library), model_(model), options_(options), keep_tokens_(keep_tokens) {
    makes_checkpoints_ = exact && options.checkpoint_stride_tokens > 0 &&
                         library.repository().index().checkpoints().Usage().budget_bytes > 0;
  }

  /// `known` ends with the last token to read and begins with the first of the history, or with the
  /// first after the stored state that is gone on from. `ends` are the tokens after which a
  /// document ends. `prefix` is the stored state that `state` was restored from.
  void Read(engine::State& state, std::span<const TokenId> known, uint64_t tokens_total,
            std::span<const uint64_t> ends, std::optional<storage::StateRow> prefix) {
    known_ = known;
    known_from_ = tokens_total - known.size();
    restored_ = state.token_count();
    total_ = tokens_total;
    prefix_ = std::move(prefix);
    Report(0);
    try {
      while (state.token_count() < total_) {
        const uint64_t stop = NextStop(state.token_count(), ends);
        Advance(state, stop);
        if (stop < total_ && makes_checkpoints_) LeaveCheckpoint(state);
      }
      if (options_.cancel != nullptr) options_.cancel->Check();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCancelled) throw;
      Stop(state);
    }
  }

  const std::optional<storage::StateRow>& prefix() const { return prefix_; }
  uint64_t checkpoints() const { return checkpoints_; }

 private:
  uint64_t NextStop(uint64_t from, std::span<const uint64_t> ends) const {
    uint64_t stop = total_;
    if (!makes_checkpoints_) return stop;
    const uint64_t stride = options_.checkpoint_stride_tokens;
    if (from / stride < total_ / stride) stop = std::min(stop, (from / stride + 1) * stride);
    const auto end = std::upper_bound(ends.begin(), ends.end(), from);
    return end == ends.end() ? stop : std::min(stop, *end);
  }

  void Advance(engine::State& state, uint64_t stop) {
    const uint64_t from = state.token_count();
    engine::AdvanceControl control;
    control.cancel = options_.cancel;
    control.on_progress = [&](uint64_t done) { Report(from - restored_ + done); };
    model_.runtime->Advance(state, known_.subspan(from - known_from_, stop - from), control);
  }

  void Report(uint64_t done) const {
    if (options_.on_progress) options_.on_progress(done, total_ - restored_);
  }

  void LeaveCheckpoint(const engine::State& state) {
    const std::vector<Bytes> segments = model_.runtime->Snapshot(state);
    const std::vector<ByteSpan> views(segments.begin(), segments.end());
    prefix_ = storage::PublishCheckpoint(
        library_.repository(),
        NewStateOf(library_, model_, state, views, known_.first(state.token_count() - known_from_),
                   keep_tokens_, prefix_),
        library_.now_ms());
    ++checkpoints_;
    storage::ThinCheckpoints(library_.repository());
  }

  [[noreturn]] void Stop(const engine::State& state) {
    const bool fresh = state.token_count() > (prefix_ ? prefix_->history.token_count() : 0);
    if (makes_checkpoints_ && fresh) LeaveCheckpoint(state);
    if (!makes_checkpoints_ || checkpoints_ == 0)
      throw Error(ErrorKind::kCancelled, "stopped; what was there is unchanged");
    Throw(ErrorKind::kCancelled,
          "stopped after {} of {} tokens; run the same command again to go on from there",
          state.token_count(), total_);
  }

  Library& library_;
  const LoadedModel& model_;
  const IngestOptions& options_;
  bool keep_tokens_;
  bool makes_checkpoints_;
  std::span<const TokenId> known_;
  uint64_t known_from_ = 0;  // the place of known_'s first token in the history
  uint64_t restored_ = 0;
  uint64_t total_ = 0;
  std::optional<storage::StateRow> prefix_;  // the longest stored state on the way
  uint64_t checkpoints_ = 0;
};

/// After how many tokens of the history each document but the last ends.
std::vector<uint64_t> EndsOf(const std::vector<storage::SourceRecord>& sources, uint64_t before) {
  std::vector<uint64_t> ends;
  for (const storage::SourceRecord& source : sources) ends.push_back(before += source.token_count);
  return ends;
}

/// Reads tokens into the longest stored state there is, at least the one that `request` names as
/// parent, and saves the result.
IngestResult ReadAndSave(Library& library, const LoadedModel& model, TokenizedDocuments documents,
                         SaveRequest request, const IngestOptions& options) {
  IngestResult result;
  const storage::ResolvedState* base = request.parent ? &*request.parent : nullptr;
  const History before = base != nullptr ? base->state.history : History();
  std::vector<TokenId> known;
  if (base != nullptr) known = TokensBefore(library, *base);
  const size_t known_before = known.size();
  known.insert(known.end(), documents.tokens.begin(), documents.tokens.end());
  request.tokens_before = std::span(known).first(known_before);
  request.tokens_after = std::span(known).subspan(known_before);
  request.sources = documents.sources;
  request.texts = documents.texts;

  std::optional<LoadedState> loaded;
  // What goes on from values of a lossy codec is another state than the exact one of these tokens.
  const bool from_exact = base == nullptr || base->state.profile == model.runtime->profile();
  if (options.reuse && from_exact)
    loaded = LoadLongestPrefix(library, model, before, request.tokens_after);
  if (!loaded && base != nullptr) loaded = LoadState(library, model, *base);
  if (loaded) result.reused = loaded->origin.state;
  engine::State state = loaded ? std::move(loaded->state) : model.runtime->Empty();
  result.tokens_restored = state.token_count();

  const uint64_t total = before.token_count() + documents.tokens.size();
  const Clock::time_point start = Clock::now();
  Reading reading(library, model, options,
                  request.keep_tokens && (base == nullptr || base->state.tokens_kept), from_exact);
  reading.Read(state, known, total, EndsOf(documents.sources, before.token_count()), result.reused);
  result.read_seconds = SecondsSince(start);
  result.tokens_read = total - result.tokens_restored;
  result.checkpoints = reading.checkpoints();
  request.prefix = reading.prefix();
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
