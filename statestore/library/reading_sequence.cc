// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/reading_sequence.h"

#include <algorithm>
#include <utility>

namespace statelib::library {

uint64_t Stops::After(uint64_t from) const {
  uint64_t stop = total;
  if (!checkpoints) return stop;
  if (stride > 0 && from / stride < total / stride)
    stop = std::min(stop, (from / stride + 1) * stride);
  const auto end = std::upper_bound(ends.begin(), ends.end(), from);
  return end == ends.end() ? stop : std::min(stop, *end);
}

ReadingSequence::ReadingSequence(const LoadedModel& model, engine::State state,
                                 const RunOf<TokenId>& tokens, const Stops& stops)
    : model_(model),
      state_(std::move(state)),
      tokens_(tokens),
      stops_(stops),
      done_(state_.token_count()) {}

size_t ReadingSequence::tokens_left() const {
  if (is_paused_) return 0;
  const uint64_t from = state_.token_count();
  return static_cast<size_t>(stops_.After(from) - from);
}

std::span<const TokenId> ReadingSequence::Next(size_t count) {
  const uint64_t to_read = stops_.total - state_.token_count();
  next_ = tokens_.Last(to_read).First(count).Values();
  return next_;
}

void ReadingSequence::Took(size_t count, const engine::Given&) {
  const uint64_t now = state_.token_count();
  if (now < stops_.total && now == stops_.After(now - count)) {
    StateValue value = TakeValue(model_, state_);
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(value));
    is_paused_ = waiting_.size() >= kWaitingMax;
  }
  read_until_ = Clock::now();
  done_ = now;
}

const StateValue* ReadingSequence::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.empty() ? nullptr : &waiting_.front();
}

void ReadingSequence::Stored() {
  const std::lock_guard lock(mutex_);
  waiting_.pop_front();
}

double ReadingSequence::seconds() const {
  return std::chrono::duration<double>(read_until_ - started_).count();
}

}  // namespace statelib::library
