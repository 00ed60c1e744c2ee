// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/ingest.h"

#include <algorithm>
#include <chrono>
#include <memory>
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
                           tokens.size(), library.now_ms(),
                           PathOf(document.path.empty() ? document.name : document.path)});
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

/// After how many tokens of the history each document ends.
std::vector<uint64_t> EndsOf(const std::vector<storage::SourceRecord>& sources, uint64_t before) {
  std::vector<uint64_t> ends;
  for (const storage::SourceRecord& source : sources) ends.push_back(before += source.token_count);
  return ends;
}

/// One state on its way: reads tokens into the longest stored state there is, at least the one that
/// `request` names as parent, step by step, leaves checkpoints and saves the result.
class Reading {
 public:
  /// The documents outlive it.
  Reading(Library& library, const LoadedModel& model, std::span<const Document> documents,
          SaveRequest request, const IngestOptions& options)
      : library_(library), model_(model), options_(options), request_(std::move(request)) {
    CheckTarget(request_.reference);
    const storage::ResolvedState* base = request_.parent ? &*request_.parent : nullptr;
    documents_ = Tokenize(library, model, documents,
                          base != nullptr ? AddSpecial::kNo : AddSpecial::kYes, options.cancel);
    const History before = base != nullptr ? base->state.history : History();
    TakeTokens(base);
    total_ = before.token_count() + documents_.tokens.size();
    known_from_ = total_ - known_.size();
    ends_ = EndsOf(documents_.sources, before.token_count());
    Restore(base, before);
    Report();
  }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  bool finished() const { return state_->token_count() == total_; }
  uint64_t tokens_done() const { return state_->token_count(); }  ///< restored ones included
  uint64_t tokens_total() const { return total_; }
  uint64_t checkpoints() const { return checkpoints_; }

  /// The next tokens to read, at most so many. Read() is told when that is done.
  engine::Advancing Next(size_t tokens_max) {
    const uint64_t from = state_->token_count();
    const uint64_t count = std::min<uint64_t>(NextStop(from) - from, tokens_max);
    return {&*state_, std::span<const TokenId>(known_).subspan(from - known_from_, count)};
  }

  /// Called when what Next() gave has been read, `from` being the count before.
  void Read(uint64_t from) {
    Report();
    if (makes_checkpoints_ && !finished() && state_->token_count() == NextStop(from))
      LeaveCheckpoint();
  }

  IngestResult Save() {
    IngestResult result;
    result.read_seconds = SecondsSince(started_);
    result.reused = std::move(reused_);
    result.tokens_restored = restored_;
    result.tokens_read = total_ - restored_;
    result.checkpoints = checkpoints_;
    request_.prefix = prefix_;
    result.saved = SaveState(library_, model_, *state_, request_);
    result.tokenize_seconds = documents_.seconds;
    result.sources = std::move(documents_.sources);
    return result;
  }

  /// Keeps what has been read for the next time that it is asked for.
  void Stop() {
    const bool fresh = state_->token_count() > (prefix_ ? prefix_->history.token_count() : 0);
    if (makes_checkpoints_ && fresh) LeaveCheckpoint();
  }

 private:
  /// Puts all tokens that are known behind each other and says in the request which are which.
  void TakeTokens(const storage::ResolvedState* base) {
    if (base != nullptr) known_ = TokensBefore(library_, *base);
    const size_t known_before = known_.size();
    known_.insert(known_.end(), documents_.tokens.begin(), documents_.tokens.end());
    request_.tokens_before = std::span<const TokenId>(known_).first(known_before);
    request_.tokens_after = std::span<const TokenId>(known_).subspan(known_before);
    request_.sources = documents_.sources;
    request_.texts = documents_.texts;
    request_.text_template = options_.text_template;
    if (documents_.sources.size() < 2) request_.text_template.separator.clear();
    keeps_tokens_ = request_.keep_tokens && (base == nullptr || base->state.tokens_kept);
  }

  void Restore(const storage::ResolvedState* base, const History& before) {
    // What goes on from values of a lossy codec is another state than the exact one of these
    // tokens.
    const bool from_exact = base == nullptr || base->state.profile == model_.runtime->profile();
    makes_checkpoints_ = from_exact && options_.checkpoint_stride_tokens > 0 &&
                         library_.repository().index().checkpoints().Usage().budget_bytes > 0;
    std::optional<LoadedState> loaded;
    if (options_.reuse && from_exact)
      loaded = LoadLongestPrefix(library_, model_, before, request_.tokens_after);
    if (!loaded && base != nullptr) loaded = LoadState(library_, model_, *base);
    if (loaded) prefix_ = reused_ = loaded->origin.state;
    state_ = loaded ? std::move(loaded->state) : model_.runtime->Empty();
    restored_ = state_->token_count();
    started_ = Clock::now();
  }

  uint64_t NextStop(uint64_t from) const {
    uint64_t stop = total_;
    if (!makes_checkpoints_) return stop;
    const uint64_t stride = options_.checkpoint_stride_tokens;
    if (from / stride < total_ / stride) stop = std::min(stop, (from / stride + 1) * stride);
    const auto end = std::upper_bound(ends_.begin(), ends_.end(), from);
    return end == ends_.end() ? stop : std::min(stop, *end);
  }

  void Report() const {
    if (options_.on_progress)
      options_.on_progress(state_->token_count() - restored_, total_ - restored_);
  }

  void LeaveCheckpoint() {
    const std::vector<Bytes> segments = model_.runtime->Snapshot(*state_);
    const std::vector<ByteSpan> views(segments.begin(), segments.end());
    const auto tokens = std::span<const TokenId>(known_).first(state_->token_count() - known_from_);
    prefix_ = storage::PublishCheckpoint(
        library_.repository(),
        NewStateOf(library_, model_, *state_, views, tokens, keeps_tokens_, prefix_),
        library_.now_ms());
    ++checkpoints_;
    storage::ThinCheckpoints(library_.repository());
  }

  Library& library_;
  const LoadedModel& model_;
  const IngestOptions& options_;
  SaveRequest request_;
  TokenizedDocuments documents_;
  /// Ends with the last token to read and begins with the first of the history, or with the first
  /// after the stored state that is gone on from.
  std::vector<TokenId> known_;
  uint64_t known_from_ = 0;     // the place of known_'s first token in the history
  uint64_t total_ = 0;          // tokens of the whole history
  std::vector<uint64_t> ends_;  // after which tokens a document ends
  bool keeps_tokens_ = true;
  bool makes_checkpoints_ = false;
  std::optional<storage::StateRow> reused_;  // the stored state that it began with
  std::optional<storage::StateRow> prefix_;  // the longest stored state on the way
  std::optional<engine::State> state_;
  uint64_t restored_ = 0;
  uint64_t checkpoints_ = 0;
  Clock::time_point started_;
};

/// One step of the model for all readings together, each with an equal share of its rows.
void Step(const LoadedModel& model, std::span<Reading* const> readings, const CancelFlag* cancel) {
  const size_t share = std::max<size_t>(1, model::Model::rows_max / readings.size());
  std::vector<engine::Advancing> batch;
  std::vector<uint64_t> from;
  for (Reading* reading : readings) {
    batch.push_back(reading->Next(share));
    from.push_back(batch.back().state->token_count());
  }
  model.runtime->Advance(batch, {.cancel = cancel, .on_progress = {}});
  for (size_t i = 0; i < readings.size(); ++i) readings[i]->Read(from[i]);
}

/// Reads one state to its end and saves it.
IngestResult ReadAndSave(const LoadedModel& model, Reading& reading, const CancelFlag* cancel) {
  try {
    Reading* const one = &reading;
    while (!reading.finished()) Step(model, std::span(&one, 1), cancel);
    if (cancel != nullptr) cancel->Check();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCancelled) throw;
    reading.Stop();
    if (reading.checkpoints() == 0)
      throw Error(ErrorKind::kCancelled, "stopped; what was there is unchanged");
    Throw(ErrorKind::kCancelled,
          "stopped after {} of {} tokens; run the same command again to go on from there",
          reading.tokens_done(), reading.tokens_total());
  }
  return reading.Save();
}

SaveRequest RequestOf(const storage::Reference& reference, storage::Operation operation,
                      const IngestOptions& options) {
  SaveRequest request;
  request.reference = reference;
  request.operation = operation;
  request.keep_tokens = options.keep_tokens;
  request.codec = options.codec;
  return request;
}

/// A job and its reading; the reading has views of the job.
struct Running {
  size_t number = 0;
  IngestJob job;
  size_t text_bytes = 0;
  std::unique_ptr<Reading> reading;
};

/// The jobs of IngestSideBySide that are being read.
class Table {
 public:
  Table(Library& library, const LoadedModel& model, const SideBySide& how)
      : library_(library), model_(model), how_(how) {}

  /// Begins jobs while there are any and there is room.
  void Fill() {
    while (more_ && running_.size() < kSideBySideMax && text_bytes_ < kSideBySideTextBytesMax) {
      auto fresh = std::make_unique<Running>();
      std::optional<IngestJob> job = how_.next();
      more_ = job.has_value();
      if (!more_) return;
      fresh->number = begun_++;
      fresh->job = std::move(*job);
      for (const Document& document : fresh->job.documents)
        fresh->text_bytes += document.text.size();
      const bool begins = Try(fresh->number, [&] {
        fresh->reading = std::make_unique<Reading>(
            library_, model_, fresh->job.documents,
            RequestOf(fresh->job.reference, storage::Operation::kIngest, fresh->job.options),
            fresh->job.options);
      });
      if (!begins) continue;
      text_bytes_ += fresh->text_bytes;
      running_.push_back(std::move(fresh));
    }
  }

  bool empty() const { return running_.empty(); }

  /// Reads on in all of them and saves those that are at their end.
  void Advance() {
    std::vector<Reading*> readings;
    for (const auto& running : running_) {
      if (!running->reading->finished()) readings.push_back(running->reading.get());
    }
    if (!readings.empty()) Step(model_, readings, how_.cancel);
    if (how_.cancel != nullptr) how_.cancel->Check();
    for (size_t i = 0; i < running_.size();) {
      if (running_[i]->reading->finished())
        Finish(i);
      else
        ++i;
    }
  }

  [[noreturn]] void Stop() {
    for (const auto& running : running_) running->reading->Stop();
    Throw(ErrorKind::kCancelled,
          "stopped; {} finished and {} begun; run the same command again to go on from there",
          saved_ == 1 ? "1 state is" : std::to_string(saved_) + " states are", running_.size());
  }

 private:
  void Finish(size_t i) {
    std::optional<IngestResult> result;
    Try(running_[i]->number, [&] { result = running_[i]->reading->Save(); });
    const size_t number = running_[i]->number;
    text_bytes_ -= running_[i]->text_bytes;
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    if (!result) return;
    ++saved_;
    if (how_.done) how_.done(number, *result);
  }

  /// Whether it went well. What is wrong with one job alone is told and does not stop the others.
  bool Try(size_t number, const std::function<void()>& work) const {
    try {
      work();
      return true;
    } catch (const Error& error) {
      const bool of_the_job =
          error.kind() == ErrorKind::kInvalidArgument || error.kind() == ErrorKind::kCorrupt ||
          error.kind() == ErrorKind::kUnsupported || error.kind() == ErrorKind::kMismatch;
      if (!of_the_job || !how_.failed) throw;
      how_.failed(number, error);
      return false;
    }
  }

  Library& library_;
  const LoadedModel& model_;
  const SideBySide& how_;
  std::vector<std::unique_ptr<Running>> running_;
  size_t text_bytes_ = 0;
  size_t begun_ = 0;
  size_t saved_ = 0;
  bool more_ = true;
};

}  // namespace

IngestResult Ingest(Library& library, const LoadedModel& model, std::span<const Document> documents,
                    const storage::Reference& reference, const IngestOptions& options) {
  Reading reading(library, model, documents,
                  RequestOf(reference, storage::Operation::kIngest, options), options);
  return ReadAndSave(model, reading, options.cancel);
}

IngestResult Append(Library& library, const LoadedModel& model, const storage::ResolvedState& base,
                    std::span<const Document> documents, const storage::Reference& reference,
                    const IngestOptions& options) {
  CheckTarget(reference);
  CheckFits(library, model, base);
  SaveRequest request = RequestOf(reference, storage::Operation::kAppend, options);
  request.parent = base;
  Reading reading(library, model, documents, std::move(request), options);
  return ReadAndSave(model, reading, options.cancel);
}

void IngestSideBySide(Library& library, const LoadedModel& model, const SideBySide& how) {
  Table table(library, model, how);
  try {
    for (table.Fill(); !table.empty(); table.Fill()) table.Advance();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCancelled) throw;
    table.Stop();
  }
}

}  // namespace statelib::library
