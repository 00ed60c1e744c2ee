// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index_changes.h"

#include <algorithm>
#include <map>
#include <memory>

#include "core/base/error.h"
#include "statestore/storage/index_settings.h"
#include "statestore/storage/moment.h"

namespace statelib::storage {

namespace {

constexpr const char* kNumberSetting = "transaction";
constexpr const char* kIdSetting = "transaction_id";
constexpr const char* kLinesSetting = "lines";

// Not the last of its key.
constexpr const char* kDead =
    "DELETE FROM changes WHERE number < (SELECT max(number) FROM changes AS newest "
    "WHERE newest.key = changes.key) AND ";
constexpr const char* kReturning = " RETURNING key, number, hash";

RecordFile ToName(const Statement& statement) {
  return {statement.ToDigest(0), statement.Uint(1), statement.ToDigest(2), {}};
}

}  // namespace

TransactionMark IndexChanges::last_transaction() const {
  TransactionMark mark;
  Statement statement = database_.Prepare(
      "SELECT (SELECT value FROM settings WHERE key = ?), "
      "(SELECT value FROM settings WHERE key = ?)");
  statement.Bind(kNumberSetting).Bind(kIdSetting);
  if (!statement.Step() || statement.IsNull(0)) return mark;
  mark.number = statement.Uint(0);
  mark.id = statement.ToDigest(1);
  return mark;
}

void IndexChanges::SetLastTransaction(const TransactionMark& mark) {
  SetSetting(database_, kNumberSetting, mark.number);
  SetSetting(database_, kIdSetting, mark.id);
}

int64_t IndexChanges::NewLine() {
  Statement add = database_.Prepare(
      "INSERT INTO settings(key, value) VALUES(?, 1) "
      "ON CONFLICT(key) DO UPDATE SET value = value + 1 RETURNING value");
  add.Bind(kLinesSetting);
  add.Step();
  const int64_t line = add.Int(0);
  add.Run();
  return line;
}

std::vector<RecordFile> IndexChanges::Add(const LibraryIdentity& library,
                                          std::vector<Change> changes) {
  const TransactionMark last = last_transaction();
  TransactionMark mark{last.number + 1, RandomIdentity(), std::nullopt};
  if (last.number > 0) mark.before = last.id;
  Statement newest = database_.Prepare(
      "SELECT number, hash FROM changes WHERE key = ? ORDER BY number DESC LIMIT 1");
  std::vector<RecordFile> files;
  const auto count = static_cast<uint32_t>(changes.size());
  for (uint32_t place = 0; place < count; ++place) {
    ChangeRecord record{library, 1, std::nullopt, mark, place, count, std::move(changes[place])};
    if (record.change.made_at_ms == 0) record.change.made_at_ms = UnixMilliseconds();
    newest.Bind(KeyOf(record.change));
    if (newest.Step()) {
      record.number = newest.Uint(0) + 1;
      record.before = newest.ToDigest(1);
    }
    newest.Reset();
    files.push_back(EncodeRecord(record));
    AddRow(files.back(), record.change);
  }
  SetLastTransaction(mark);
  return files;
}

void IndexChanges::AddRow(const RecordFile& file, const Change& change) {
  Statement insert = database_.Prepare(
      "INSERT INTO changes(key, number, hash, kind, line, state, first_derivation, "
      "last_derivation) VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
  insert.Bind(file.key)
      .Bind(file.number)
      .Bind(file.hash)
      .Bind(static_cast<int64_t>(change.kind))
      .Bind(change.line);
  if (change.kind == ChangeKind::kVersion) {
    const auto [first, last] =
        std::minmax_element(change.derivations.begin(), change.derivations.end(),
                            [](const auto& a, const auto& b) { return a.key < b.key; });
    const bool any = first != change.derivations.end();
    insert.Bind(change.state)
        .Bind(any ? std::optional(first->key) : std::nullopt)
        .Bind(any ? std::optional(last->key) : std::nullopt);
  }
  insert.Run();
}

void IndexChanges::Restore(const RecordFile& file, const ChangeRecord& record) {
  AddRow(file, record.change);
  SetLastTransaction(record.transaction);
  Statement lines = database_.Prepare(
      "INSERT INTO settings(key, value) VALUES(?, ?) "
      "ON CONFLICT(key) DO UPDATE SET value = max(value, excluded.value)");
  lines.Bind(kLinesSetting).Bind(record.change.line);
  lines.Run();
}

void IndexChanges::ForEach(const std::function<void(const RecordFile& name)>& visit) const {
  Statement statement =
      database_.Prepare("SELECT key, number, hash FROM changes ORDER BY key, number");
  while (statement.Step()) visit(ToName(statement));
}

std::function<bool(const RecordFile& name)> IndexChanges::Names() const {
  const auto statement = std::make_shared<Statement>(
      database_.Prepare("SELECT EXISTS(SELECT 1 FROM changes WHERE key = ? AND number = ? AND "
                        "hash = ?)"));
  return [statement](const RecordFile& name) {
    statement->Bind(name.key).Bind(name.number).Bind(name.hash);
    const bool named = statement->Step() && statement->Int(0) != 0;
    statement->Reset();
    return named;
  };
}

uint64_t IndexChanges::count() const {
  Statement statement = database_.Prepare("SELECT count(*) FROM changes");
  return statement.Step() ? statement.Uint(0) : 0;
}

DeadRecords IndexChanges::RemoveDead() {
  const auto take = [&](const std::string& condition) {
    Statement statement = database_.Prepare(kDead + condition + kReturning);
    std::vector<RecordFile> dead;
    while (statement.Step()) dead.push_back(ToName(statement));
    return dead;
  };
  DeadRecords dead;
  dead.others = take(fmt::format(
      "(kind IN ({}, {}, {}, {}) OR (kind IN ({}, {}, {}, {}, {}) AND NOT EXISTS(SELECT 1 FROM "
      "refs "
      "WHERE refs.line = changes.line) "
      "AND (changes.state IS NULL OR NOT EXISTS(SELECT 1 FROM states WHERE states.id = "
      "changes.state)) AND NOT EXISTS(SELECT 1 FROM derivations WHERE derivations.key BETWEEN "
      "changes.first_derivation AND changes.last_derivation)))",
      static_cast<int>(ChangeKind::kModel), static_cast<int>(ChangeKind::kModelRemoved),
      static_cast<int>(ChangeKind::kSetting), static_cast<int>(ChangeKind::kHad),
      static_cast<int>(ChangeKind::kVersion), static_cast<int>(ChangeKind::kReturn),
      static_cast<int>(ChangeKind::kRenamedTo), static_cast<int>(ChangeKind::kRenamedFrom),
      static_cast<int>(ChangeKind::kForgotten)));
  dead.removals =
      take(fmt::format("kind = {} AND NOT EXISTS(SELECT 1 FROM changes AS other WHERE other.line = "
                       "changes.line AND other.kind <> changes.kind)",
                       static_cast<int>(ChangeKind::kRemoved)));
  return dead;
}

}  // namespace statelib::storage
