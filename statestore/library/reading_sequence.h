// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_READING_SEQUENCE_H_
#define STATELIB_STATESTORE_LIBRARY_READING_SEQUENCE_H_

#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <span>
#include <vector>

#include "core/base/spool.h"
#include "statestore/library/save.h"

namespace statelib::library {

/// Where a reading stops on its way. A plain value.
struct Stops {
  uint64_t total = 0;          ///< tokens of the whole history, behind the last of which it ends
  bool checkpoints = false;    ///< whether it stops before
  uint64_t stride = 0;         ///< then after every so many tokens, if not 0,
  std::vector<uint64_t> ends;  ///< and after so many, with which a document ends

  /// The first one behind a place before the end.
  uint64_t After(uint64_t from) const;
};

/// The part of a reading that computes: reads tokens into a state, and at each checkpoint takes the
/// state's value, which waits to be stored by another thread. It goes on meanwhile; with as many
/// values as may wait it leaves its batch, and is added again after GoOn.
class ReadingSequence : public engine::BatchSequence {
 public:
  /// More would only take memory.
  static constexpr size_t kWaitingMax = 2;

  /// tokens: end with the last to read. What is given outlives it.
  ReadingSequence(const LoadedModel& model, engine::State state, const RunOf<TokenId>& tokens,
                  const Stops& stops);

  // For the thread that steps the batch, or while it does not.
  engine::State& state() override { return state_; }
  size_t tokens_left() const override;
  std::span<const TokenId> Next(size_t count) override;
  void Took(size_t count, const engine::Given& given) override;

  // For one other thread.
  uint64_t tokens_done() const { return done_; }  ///< that the state has read
  /// The value that waits longest, until Stored; null: none waits.
  const StateValue* waiting() const;
  /// It is stored, and waits no more.
  void Stored();
  bool is_paused() const { return is_paused_; }
  /// Before it is added to a batch again.
  void GoOn() { is_paused_ = false; }
  /// How long it took to read, with what was waited for; once all is read.
  double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;

  const LoadedModel& model_;
  engine::State state_;
  RunOf<TokenId> tokens_;
  const Stops& stops_;
  std::vector<TokenId> next_;  // what Next() gave
  const Clock::time_point started_ = Clock::now();
  Clock::time_point read_until_ = started_;  // published by done_
  std::atomic<uint64_t> done_;
  std::atomic<bool> is_paused_ = false;
  mutable std::mutex mutex_;
  std::deque<StateValue> waiting_;  // guarded by mutex_
};

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_READING_SEQUENCE_H_
