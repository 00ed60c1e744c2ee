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

Reading::Reading(Library& library, const LoadedModel& model, engine::BatchDriver& driver,
                 std::span<const Document> documents, SaveRequest request,
                 const IngestOptions& options)
    : library_(library),
      model_(model),
      driver_(driver),
      options_(options),
      request_(std::move(request)) {
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
  stops_.total = before.token_count() + documents_.token_count;
  stops_.stride = options.checkpoint_stride_tokens;
  stops_.ends = EndsOf(documents_.sources, before.token_count());
  TakeRequest(base);
  Begin(FindBeginning(base, before));
}

Reading::~Reading() {
  if (sequence_) driver_.Run([&] { End(); });
}

bool Reading::is_ready() const {
  return sequence_->waiting() != nullptr || tokens_done() != reported_ || is_finished();
}

void Reading::Report() {
  const uint64_t done = tokens_done();
  if (done != reported_) Report(done);
}

void Reading::Report(uint64_t tokens_done) {
  reported_ = tokens_done;
  if (options_.on_progress) options_.on_progress(reported_ - restored_, tokens_total() - restored_);
}

void Reading::StoreNext() {
  const StateValue* const value = sequence_->waiting();
  if (value == nullptr) return;
  Store(*value);
  sequence_->Stored();
  if (!sequence_->is_paused()) return;
  Leave();  // it may still be in the batch
  sequence_->GoOn();
  id_ = driver_.Add(*sequence_);
}

bool Reading::is_finished() const {
  return reported_ == tokens_total() && sequence_->waiting() == nullptr;
}

IngestResult Reading::Save() {
  const auto start = Clock::now();
  IngestResult result;
  result.read_seconds = sequence_->seconds();
  result.reused = std::move(reused_);
  result.tokens_restored = restored_;
  result.tokens_read = tokens_total() - restored_;
  result.checkpoints = checkpoints_;
  request_.prefix = prefix_;
  const StateValue value = driver_.Run([&] {
    StateValue taken = TakeValue(model_, sequence_->state(), request_.codec);
    End();
    return taken;
  });
  driver_.Check();  // else the value is none
  result.saved = SaveState(library_, model_, value, request_);
  result.saved.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  result.tokenize_seconds = documents_.seconds;
  result.sources = std::move(documents_.sources);
  return result;
}

void Reading::Stop() {
  Leave();
  if (!stops_.checkpoints || !sequence_) return;
  const StateValue last = driver_.Run([&] { return TakeValue(model_, sequence_->state()); });
  driver_.Check();
  Report();
  for (; const StateValue* const value = sequence_->waiting(); sequence_->Stored()) Store(*value);
  if (last.history.token_count() > tokens_stored()) Store(last);
}

void Reading::TakeRequest(const storage::ResolvedState* base) {
  request_.tokens = known_.All();
  request_.sources = documents_.sources;
  request_.texts = documents_.texts;
  request_.text_template = options_.text_template;
  if (documents_.sources.size() < 2) request_.text_template.separator.clear();
  keeps_tokens_ = request_.keep_tokens && (base == nullptr || base->state.tokens_kept);
}

std::optional<StoredState> Reading::FindBeginning(const storage::ResolvedState* base,
                                                  const History& before) {
  // What goes on from values of a lossy codec is another state than the exact one of these
  // tokens.
  const bool from_exact = base == nullptr || base->state.profile == model_.runtime->profile();
  stops_.checkpoints = from_exact && options_.checkpoint_stride_tokens > 0 &&
                       library_.repository().index().checkpoints().Usage().budget_bytes > 0;
  std::optional<StoredState> stored;
  if (options_.reuse && from_exact)
    stored =
        ReadLongestPrefix(library_, model_, before, request_.tokens.Last(documents_.token_count));
  if (!stored && base != nullptr) stored = ReadState(library_, model_, *base);
  return stored;
}

void Reading::Begin(const std::optional<StoredState>& stored) {
  if (stored) prefix_ = reused_ = stored->origin.state;
  restored_ = tokens_stored();
  Report(restored_);
  driver_.Run([&] {
    sequence_.emplace(model_, stored ? Restore(model_, *stored) : model_.runtime->Empty(),
                      request_.tokens, stops_);
  });
  id_ = driver_.Add(*sequence_);
}

void Reading::End() {
  driver_.Remove(id_);
  sequence_.reset();
}

void Reading::Store(const StateValue& value) {
  const std::vector<ByteSpan> views(value.segments.begin(), value.segments.end());
  const uint64_t to_read = tokens_total() - value.history.token_count();
  const RunOf<TokenId> tokens = request_.tokens.First(request_.tokens.size() - to_read);
  prefix_ = storage::PublishCheckpoint(
      library_.repository(),
      NewStateOf(library_, model_, value.history, views, tokens, keeps_tokens_, prefix_),
      library_.now_ms());
  ++checkpoints_;
  storage::ThinCheckpoints(library_.repository());
}

}  // namespace statelib::library
