// SPDX-License-Identifier: Apache-2.0
#include "core/engine/batch.h"

#include <algorithm>
#include <exception>
#include <functional>

#include "core/base/error.h"

namespace statelib::engine {

namespace {

// The head's weights are read once for this many rows; more would only take memory.
constexpr size_t kLogitsRowsMax = 64;

/// Calls `work` and keeps the first thing that any call throws.
void KeepFailure(std::exception_ptr* failure, const std::function<void()>& work) {
  try {
    work();
  } catch (...) {
    if (*failure == nullptr) *failure = std::current_exception();
  }
}

/// At most kLogitsRowsMax of them.
template <typename T>
std::span<const T> Some(const std::vector<T>& all, size_t first) {
  return std::span(all).subspan(first, std::min(kLogitsRowsMax, all.size() - first));
}

}  // namespace

void CheckTokens(const model::ModelInfo& info, std::span<const TokenId> tokens) {
  for (const TokenId token : tokens) {
    if (token >= 0 && token < info.vocabulary_size) continue;
    Throw(ErrorKind::kInvalidArgument, "[advance] token: expected 0 to {}, found {}",
          info.vocabulary_size - 1, token);
  }
}

Batch::Batch(model::Model& model, kernels::Backend& backend, size_t tokens)
    : model_(model), backend_(backend), tokens_(tokens), pass_(backend, model.layout()) {}

Batch::Id Batch::Add(BatchSequence& sequence) {
  const std::lock_guard lock(mutex_);
  members_.push_back({next_id_, &sequence});
  return next_id_++;
}

void Batch::Remove(Id id) {
  const std::lock_guard lock(mutex_);
  std::erase_if(members_, [id](const Member& member) { return member.id == id; });
}

/// Who reads how much: of the sequences in turn as many as there are rows, those with the least to
/// read first, each the smaller of what it has and an equal share of what is left.
std::vector<Batch::Share> Batch::Plan() {
  const std::lock_guard lock(mutex_);
  std::erase_if(members_, [](const Member& member) {
    const BatchSequence& sequence = *member.sequence;
    return sequence.tokens_left() == 0 &&
           (sequence.wanted() == Wanted::kState || sequence.wanted() == Wanted::kEveryLogits);
  });
  const size_t count = std::min(members_.size(), model_.rows_max());
  std::vector<Share> shares;
  for (size_t i = 0; i < count; ++i) {
    BatchSequence* const sequence = members_[(turn_ + i) % members_.size()].sequence;
    shares.push_back({sequence, sequence->tokens_left(), {}, false});
  }
  if (count < members_.size())
    turn_ = (turn_ + count) % members_.size();
  else
    turn_ = 0;
  std::vector<Share*> by_size;
  for (Share& share : shares) by_size.push_back(&share);
  std::stable_sort(by_size.begin(), by_size.end(),
                   [](const Share* a, const Share* b) { return a->rows < b->rows; });
  size_t rows_left = model_.rows_max();
  for (size_t i = 0; i < by_size.size(); ++i) {
    Share& share = *by_size[i];
    const size_t wants = share.rows;
    share.rows = std::min(wants, rows_left / (by_size.size() - i));
    share.is_last = share.rows == wants;
    rows_left -= share.rows;
  }
  return shares;
}

bool Batch::Step() {
  std::vector<Share> shares = Plan();
  if (shares.empty()) return false;
  for (Share& share : shares) {
    if (share.rows > 0) share.tokens = share.sequence->Next(share.rows);
    CheckTokens(model_.info(), share.tokens);
  }
  Read(shares);

  // Every sequence is told, whatever another one makes of it.
  std::exception_ptr failure;
  size_t row = 0;
  std::vector<Share> choosing, last;
  for (const Share& share : shares) {
    const Wanted wanted = share.sequence->wanted();
    if (wanted == Wanted::kEveryLogits)
      GiveEveryLogits(share, row, &failure);
    else if (wanted == Wanted::kState || !share.is_last)
      KeepFailure(&failure, [&] { share.sequence->Took(share.rows, {}); });
    else
      (wanted == Wanted::kChoice ? choosing : last).push_back(share);
    row += share.rows;
  }
  for (size_t first = 0; first < choosing.size(); first += kLogitsRowsMax)
    GiveChoices(Some(choosing, first), &failure);
  for (size_t first = 0; first < last.size(); first += kLogitsRowsMax)
    GiveLastLogits(Some(last, first), &failure);
  if (failure != nullptr) std::rethrow_exception(failure);
  return true;
}

void Batch::Read(std::span<const Share> shares) {
  std::vector<PrefillChunk> items;
  bool every = false;
  for (const Share& share : shares) {
    const BatchSequence& sequence = *share.sequence;
    if (share.rows > 0)
      items.push_back(
          {&share.sequence->state(), share.tokens, sequence.open(share.rows), sequence.right()});
    every = every || share.sequence->wanted() == Wanted::kEveryLogits;
  }
  if (items.empty()) return;
  pass_.Set(items);
  const auto width = static_cast<size_t>(model_.info().hidden_size);
  const size_t rows = pass_.sequences().rows;
  if (every) {
    const kernels::Rows hidden{RoomFor(rows * width, &hidden_), rows, width, width};
    model_.Advance(pass_.tokens(), pass_.sequences(), {&hidden});
  } else {
    model_.Advance(pass_.tokens(), pass_.sequences());
  }
  for (const PrefillChunk& item : items) item.state->Read(item.right, item.tokens, item.open);
}

void Batch::GiveEveryLogits(const Share& share, size_t first_row, std::exception_ptr* failure) {
  const auto width = static_cast<size_t>(model_.info().hidden_size);
  for (size_t done = 0; done < share.rows; done += kLogitsRowsMax) {
    const size_t rows = std::min(kLogitsRowsMax, share.rows - done);
    const float* const hidden = hidden_.data() + (first_row + done) * width;
    const Given given{OnHost(LogitsOf({hidden, rows, width, width}))};
    KeepFailure(failure, [&] { share.sequence->Took(rows, given); });
  }
}

/// The logits after the last token of each, in the backend's memory. At most kLogitsRowsMax.
kernels::Rows Batch::LastLogits(std::span<const Share> shares) {
  const auto width = static_cast<size_t>(model_.info().hidden_size);
  std::vector<PrefillChunk> items;
  for (const Share& share : shares) items.push_back({&share.sequence->state(), {}});
  pass_.Set(items);
  const kernels::Rows hidden{RoomFor(shares.size() * width, &hidden_), shares.size(), width, width};
  const model::StateLayout& layout = model_.layout();
  backend_.GatherState(pass_.sequences(), layout.OffsetOf(layout.segments().size() - 1), hidden);
  return LogitsOf(hidden);
}

void Batch::GiveLastLogits(std::span<const Share> shares, std::exception_ptr* failure) {
  const auto logits = OnHost(LastLogits(shares));
  const size_t vocabulary = logits.size() / shares.size();
  for (size_t i = 0; i < shares.size(); ++i) {
    const Given given{logits.subspan(i * vocabulary, vocabulary)};
    KeepFailure(failure, [&] { shares[i].sequence->Took(shares[i].rows, given); });
  }
}

void Batch::GiveChoices(std::span<const Share> shares, std::exception_ptr* failure) {
  if (tokens_ > kernels::kSampleTokensMax) {
    Throw(ErrorKind::kUnsupported, "[sample] vocabulary: expected up to {} tokens, found {}",
          kernels::kSampleTokensMax, tokens_);
  }
  std::vector<kernels::SampleRow> rows;
  for (const Share& share : shares) rows.push_back(share.sequence->sample_row());
  std::vector<kernels::SampleResult> results(shares.size());
  backend_.Sample({LastLogits(shares), tokens_, rows, results});
  for (size_t i = 0; i < shares.size(); ++i) {
    const Given given{{}, &results[i]};
    KeepFailure(failure, [&] { shares[i].sequence->Took(shares[i].rows, given); });
  }
}

/// Of at most kLogitsRowsMax rows, in the backend's memory until the next call.
kernels::Rows Batch::LogitsOf(kernels::ConstRows hidden) {
  const auto vocabulary = static_cast<size_t>(model_.info().vocabulary_size);
  float* const to = RoomFor(hidden.rows * vocabulary, &logits_);
  const kernels::Rows logits{to, hidden.rows, vocabulary, vocabulary};
  model_.Logits(hidden, logits);
  return logits;
}

std::span<const float> Batch::OnHost(const kernels::Rows& logits) {
  const size_t floats = logits.rows * logits.cols;
  if (const std::byte* const own = backend_.HostAddress(logits_.bytes()))
    return {reinterpret_cast<const float*>(own), floats};
  host_logits_.resize(floats);
  backend_.Download(logits.f32(), host_logits_);
  return host_logits_;
}

float* Batch::RoomFor(size_t floats, kernels::Buffer* buffer) {
  Reserve(backend_, floats, kernels::DType::kF32, buffer);
  return buffer->data();
}

}  // namespace statelib::engine
