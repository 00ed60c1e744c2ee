// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index_checkpoints.h"

#include <unordered_map>

#include "core/base/error.h"
#include "statestore/storage/index_settings.h"

namespace statelib::storage {

namespace {

constexpr const char* kNamed =
    "EXISTS(SELECT 1 FROM versions WHERE versions.state = checkpoints.state)";

/// Named, or needed by a state that is a difference to it.
constexpr const char* kHeld =
    "(EXISTS(SELECT 1 FROM versions WHERE versions.state = checkpoints.state) OR "
    "EXISTS(SELECT 1 FROM states AS base JOIN states AS delta ON delta.base = base.id "
    "WHERE base.key = checkpoints.state))";

/// Keys of the states that the one of id ? was computed from.
constexpr const char* kPath =
    "WITH RECURSIVE path(key) AS (SELECT prefix FROM states WHERE id = ? AND prefix IS NOT NULL "
    "UNION SELECT prefix FROM states JOIN path USING(key) WHERE prefix IS NOT NULL) ";

}  // namespace

void IndexCheckpoints::Mark(const StateId& state, int64_t now_ms) {
  Statement statement = database_.Prepare(
      "INSERT INTO checkpoints(state, unfinished, made_at) SELECT key, 1, ? FROM states WHERE id = "
      "? ON CONFLICT(state) DO UPDATE SET unfinished = 1, made_at = excluded.made_at");
  statement.Bind(now_ms).Bind(state);
  statement.Run();
  if (database_.changed_rows() != 1)
    Throw(ErrorKind::kNotFound, "the library holds no state {}", state.ShortHex());
}

void IndexCheckpoints::Finish(const StateId& state) {
  Statement statement =
      database_.Prepare(std::string(kPath) +
                        "UPDATE checkpoints SET unfinished = 0 WHERE unfinished AND state IN path");
  statement.Bind(state);
  statement.Run();
}

std::optional<CheckpointRow> IndexCheckpoints::Find(const StateId& state) const {
  Statement statement =
      database_.Prepare("SELECT made_at, unfinished, " + std::string(kNamed) +
                        " FROM checkpoints WHERE state = (SELECT key FROM states WHERE id = ?)");
  statement.Bind(state);
  if (!statement.Step()) return std::nullopt;
  return CheckpointRow{IndexStates(database_).Get(state), statement.Int(0), statement.Int(1) != 0,
                       statement.Int(2) != 0};
}

std::vector<CheckpointRow> IndexCheckpoints::List(const std::optional<StateId>& of) const {
  Statement statement = database_.Prepare(
      std::string(of ? kPath : "") +
      "SELECT id FROM checkpoints JOIN states ON states.key = checkpoints.state " +
      (of ? "WHERE checkpoints.state IN path " : "") + "ORDER BY token_count DESC, id");
  if (of) statement.Bind(*of);
  std::vector<CheckpointRow> rows;
  while (statement.Step()) {
    const auto row = Find(statement.ToDigest(0));
    if (!row) ThrowDamagedIndex(database_.path(), "a checkpoint that it has is not found in it");
    rows.push_back(*row);
  }
  return rows;
}

CheckpointUsage IndexCheckpoints::Usage() const {
  CheckpointUsage usage;
  Statement sum = database_.Prepare(
      "SELECT count(*), coalesce(sum(stored_bytes) FILTER (WHERE NOT " + std::string(kHeld) +
      "), 0) FROM checkpoints JOIN states ON states.key = checkpoints.state");
  if (sum.Step()) {
    usage.checkpoints = sum.Uint(0);
    usage.stored_bytes = sum.Uint(1);
  }
  Statement budget = database_.Prepare("SELECT value FROM settings WHERE key = ?");
  budget.Bind(kBudgetSetting);
  usage.budget_bytes = budget.Step() ? budget.Uint(0) : kCheckpointBudgetBytes;
  return usage;
}

void IndexCheckpoints::SetBudget(uint64_t bytes) {
  database_.Write([&] {
    SetSetting(database_, kBudgetSetting, bytes);
    pending_.Add(
        {.kind = ChangeKind::kSetting, .setting = kBudgetSetting, .value = std::to_string(bytes)});
  });
}

std::vector<StateId> IndexCheckpoints::ToThin(uint64_t bytes) const {
  // The checkpoints, and what was computed from them, for how far they reach.
  Statement statement = database_.Prepare(
      "SELECT key, prefix, token_count, stored_bytes, checkpoints.state IS NOT NULL AND NOT " +
      std::string(kHeld) +
      ", id FROM states LEFT JOIN checkpoints ON checkpoints.state = states.key "
      "WHERE key IN (SELECT state FROM checkpoints UNION "
      "SELECT longer.key FROM checkpoints JOIN states AS longer ON longer.prefix = state)");
  std::vector<ThinningState> states;
  std::unordered_map<int64_t, StateId> ids;
  while (statement.Step()) {
    states.push_back({statement.Int(0), statement.MaybeInt(1), statement.Uint(2), statement.Uint(3),
                      statement.Int(4) != 0});
    ids[states.back().key] = statement.ToDigest(5);
  }
  std::vector<StateId> thinned;
  for (const int64_t key : ChooseThinned(states, bytes)) thinned.push_back(ids[key]);
  return thinned;
}

}  // namespace statelib::storage
