// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/reading.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "statestore/library/load.h"
#include "statestore/library/prefix.h"
#include "statestore/storage/maintenance.h"

namespace statelib::library {

namespace {

using Clock = std::chrono::steady_clock;
using tokenizer::AddSpecial;

/// After how many tokens of the history each document ends.
std::vector<uint64_t> EndsOf(const std::vector<storage::SourceRecord>& sources, uint64_t before) {
  std::vector<uint64_t> ends;
  for (const storage::SourceRecord& source : sources) ends.push_back(before += source.token_count);
  return ends;
}

void CheckTarget(const storage::Reference& reference) {
  storage::CheckName(reference.name);
  storage::CheckTag(reference.tag);
  if (!reference.version) return;
  Throw(ErrorKind::kInvalidArgument,
        "{}: a version cannot be written to; leave out '@{}' to add the next one", reference.Text(),
        *reference.version);
}

}  // namespace

Reading::Reading(Library& library, const LoadedModel& model, std::span<const Document> documents,
                 SaveRequest request, const IngestOptions& options)
    : library_(library), model_(model), options_(options), request_(std::move(request)) {
  CheckTarget(request_.reference);
  const storage::ResolvedState* base = request_.parent ? &*request_.parent : nullptr;
  if (base != nullptr) CheckFits(library, model, *base);
  if (base != nullptr && base->state.tokens_kept) {
    TokensOrThrow(library, *base).ForEach([&](std::span<const TokenId> piece) {
      known_.Append(piece);
    });
  }
  documents_ =
      Tokenize(library, model, documents, base != nullptr ? AddSpecial::kNo : AddSpecial::kYes,
               options.cancel, known_);
  const History before = base != nullptr ? base->state.history : History();
  total_ = before.token_count() + documents_.token_count;
  known_from_ = total_ - known_.size();
  TakeRequest(base);
  ends_ = EndsOf(documents_.sources, before.token_count());
  Restore(base, before);
  Report();
}

size_t Reading::tokens_left() const {
  const uint64_t from = state_->token_count();
  return static_cast<size_t>(NextStop(from) - from);
}

std::span<const TokenId> Reading::Next(size_t count) {
  next_ = known_.All().Part(state_->token_count() - known_from_, count).Values();
  return next_;
}

void Reading::Took(size_t count, const engine::Given&) {
  Report();
  if (makes_checkpoints_ && !finished() &&
      state_->token_count() == NextStop(state_->token_count() - count))
    LeaveCheckpoint();
}

IngestResult Reading::Save() {
  IngestResult result;
  result.read_seconds = std::chrono::duration<double>(Clock::now() - started_).count();
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

void Reading::Stop() {
  const bool fresh = state_->token_count() > (prefix_ ? prefix_->history.token_count() : 0);
  if (makes_checkpoints_ && fresh) LeaveCheckpoint();
}

void Reading::TakeRequest(const storage::ResolvedState* base) {
  request_.tokens = known_.All();
  request_.sources = documents_.sources;
  request_.texts = documents_.texts;
  request_.text_template = options_.text_template;
  if (documents_.sources.size() < 2) request_.text_template.separator.clear();
  keeps_tokens_ = request_.keep_tokens && (base == nullptr || base->state.tokens_kept);
}

void Reading::Restore(const storage::ResolvedState* base, const History& before) {
  // What goes on from values of a lossy codec is another state than the exact one of these
  // tokens.
  const bool from_exact = base == nullptr || base->state.profile == model_.runtime->profile();
  makes_checkpoints_ = from_exact && options_.checkpoint_stride_tokens > 0 &&
                       library_.repository().index().checkpoints().Usage().budget_bytes > 0;
  std::optional<LoadedState> loaded;
  if (options_.reuse && from_exact)
    loaded =
        LoadLongestPrefix(library_, model_, before, request_.tokens.Last(documents_.token_count));
  if (!loaded && base != nullptr) loaded = LoadState(library_, model_, *base);
  if (loaded) prefix_ = reused_ = loaded->origin.state;
  state_ = loaded ? std::move(loaded->state) : model_.runtime->Empty();
  restored_ = state_->token_count();
  started_ = Clock::now();
}

uint64_t Reading::NextStop(uint64_t from) const {
  uint64_t stop = total_;
  if (!makes_checkpoints_) return stop;
  const uint64_t stride = options_.checkpoint_stride_tokens;
  if (from / stride < total_ / stride) stop = std::min(stop, (from / stride + 1) * stride);
  const auto end = std::upper_bound(ends_.begin(), ends_.end(), from);
  return end == ends_.end() ? stop : std::min(stop, *end);
}

void Reading::Report() const {
  if (options_.on_progress)
    options_.on_progress(state_->token_count() - restored_, total_ - restored_);
}

void Reading::LeaveCheckpoint() {
  const std::vector<Bytes> segments = model_.runtime->Snapshot(*state_);
  const std::vector<ByteSpan> views(segments.begin(), segments.end());
  const RunOf<TokenId> tokens = request_.tokens.First(state_->token_count() - known_from_);
  prefix_ = storage::PublishCheckpoint(
      library_.repository(),
      NewStateOf(library_, model_, *state_, views, tokens, keeps_tokens_, prefix_),
      library_.now_ms());
  ++checkpoints_;
  storage::ThinCheckpoints(library_.repository());
}

}  // namespace statelib::library
