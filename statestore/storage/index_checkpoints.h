// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_INDEX_CHECKPOINTS_H_
#define STATELIB_STATESTORE_STORAGE_INDEX_CHECKPOINTS_H_

#include <optional>
#include <vector>

#include "statestore/storage/index_states.h"
#include "statestore/storage/pending_changes.h"
#include "statestore/storage/thinning.h"

namespace statelib::storage {

inline constexpr uint64_t kCheckpointBudgetBytes = uint64_t{1} << 30;  ///< until somebody sets one

struct CheckpointRow {
  StateRow state;
  int64_t made_at_ms = 0;
  bool unfinished = false;  ///< the ingest that made it has not ended
  bool named = false;       ///< a version names it too, so it takes nothing of the budget
};

/// How much of the budget is in use.
struct CheckpointUsage {
  uint64_t checkpoints = 0;
  uint64_t stored_bytes = 0;  ///< of the objects of those that no version names and no delta needs
  uint64_t budget_bytes = 0;
};

/// Which states of an index are checkpoints. A checkpoint may be named as well. One thread. Errors:
/// those of Database.
class IndexCheckpoints {
 public:
  IndexCheckpoints(Database& database, PendingChanges& pending)
      : database_(database), pending_(pending) {}

  static constexpr const char* kBudgetSetting = "checkpoint_budget_bytes";

  /// Makes a state a checkpoint of an ingest that goes on. Errors: kNotFound.
  void Mark(const StateId& state, int64_t now_ms);
  /// Ends the ingest that led to a state: the checkpoints that it was computed from are needed as
  /// long as a name leads to a state that they are a prefix of.
  void Finish(const StateId& state);
  std::optional<CheckpointRow> Find(const StateId& state) const;
  /// All checkpoints, or those that `of` was computed from; longest first.
  std::vector<CheckpointRow> List(const std::optional<StateId>& of) const;

  CheckpointUsage Usage() const;
  /// 0: none are made, and those there are go.
  void SetBudget(uint64_t bytes);
  /// The states to remove, so that the rest fits into `bytes`.
  std::vector<StateId> ToThin(uint64_t bytes) const;

 private:
  Database& database_;
  PendingChanges& pending_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_INDEX_CHECKPOINTS_H_
