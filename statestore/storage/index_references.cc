// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index_references.h"

#include <algorithm>

#include "core/base/error.h"

namespace statelib::storage {

std::optional<int64_t> IndexReferences::KeyOf(const std::string& name,
                                              const std::string& tag) const {
  Statement statement = database_.Prepare("SELECT key FROM refs WHERE name = ? AND tag = ?");
  statement.Bind(name).Bind(tag);
  if (!statement.Step()) return std::nullopt;
  return statement.Int(0);
}

std::optional<int64_t> IndexReferences::KeyOfLine(int64_t line) const {
  Statement statement = database_.Prepare("SELECT key FROM refs WHERE line = ?");
  statement.Bind(line);
  if (!statement.Step()) return std::nullopt;
  return statement.Int(0);
}

int64_t IndexReferences::Make(const std::string& name, const std::string& tag, int64_t line,
                              int64_t now_ms) {
  Statement make = database_.Prepare(
      "INSERT INTO refs(name, tag, current, moved_at, line) VALUES(?, ?, 1, ?, ?)");
  make.Bind(name).Bind(tag).Bind(now_ms).Bind(line);
  make.Run();
  return database_.last_insert_key();
}

void IndexReferences::AddVersion(int64_t key, const Change& change) {
  Statement insert = database_.Prepare(
      "INSERT INTO versions(ref, number, state, derivation, created_at) "
      "SELECT ?, ?, key, ?, ? FROM states WHERE id = ?");
  insert.Bind(key)
      .Bind(change.version)
      .Bind(change.derivation)
      .Bind(change.made_at_ms)
      .Bind(change.state);
  insert.Run();
  if (database_.changed_rows() != 1)
    Throw(ErrorKind::kNotFound, "the library holds no state {}", change.state.ShortHex());
  MakeCurrent(key, change.version, false, change.made_at_ms);
  AddHad(change.name, change.tag, {change.state, change.state});
}

Change IndexReferences::NextStep(ChangeKind kind, int64_t key, int64_t now_ms) {
  Statement step = database_.Prepare("UPDATE refs SET steps = steps + 1 WHERE key = ?");
  step.Bind(key);
  step.Run();
  Statement find = database_.Prepare("SELECT name, tag, line, steps FROM refs WHERE key = ?");
  find.Bind(key);
  find.Step();
  return {.kind = kind,
          .made_at_ms = now_ms,
          .name = find.Text(0),
          .tag = find.Text(1),
          .line = find.Int(2),
          .step = find.Uint(3)};
}

uint64_t IndexReferences::Move(const std::string& name, const std::string& tag,
                               const StateId& state, int64_t derivation, int64_t now_ms) {
  uint64_t number = 1;
  database_.Write([&] {
    const auto there = KeyOf(name, tag);
    const int64_t key = there ? *there : Make(name, tag, changes_.NewLine(), now_ms);
    Statement newest =
        database_.Prepare("SELECT coalesce(max(number), 0) + 1 FROM versions WHERE ref = ?");
    newest.Bind(key);
    newest.Step();
    number = newest.Uint(0);
    newest.Reset();
    Change change = NextStep(ChangeKind::kVersion, key, now_ms);
    change.version = number;
    change.state = state;
    change.derivation = derivation;
    AddVersion(key, change);
    change.state_created_at_ms = IndexStates(database_).Get(state).created_at_ms;
    change.derivations = pending_.TakeDerivations();
    const bool has_own =
        std::any_of(change.derivations.begin(), change.derivations.end(),
                    [&](const KeyedDerivation& each) { return each.key == derivation; });
    if (!has_own) change.derivations.push_back({derivation, lineage_.Get(derivation)});
    pending_.Add(std::move(change));
  });
  return number;
}

void IndexReferences::NoteHad(const std::string& name, const std::string& tag,
                              const HadState& state) {
  database_.Write([&] {
    if (AddHad(name, tag, state)) RecordHad(name, tag);
  });
}

/// Whether that was not known.
bool IndexReferences::AddHad(const std::string& name, const std::string& tag,
                             const HadState& state) {
  Statement statement = database_.Prepare(
      "INSERT INTO had(name, tag, there, here) VALUES(?, ?, ?, ?) "
      "ON CONFLICT(name, tag, there) DO UPDATE SET here = excluded.here WHERE here <> "
      "excluded.here");
  statement.Bind(name).Bind(tag).Bind(state.there).Bind(state.here);
  statement.Run();
  return database_.changed_rows() == 1;
}

/// The records of a name's versions say that it has had them, as long as it has them.
void IndexReferences::RecordHad(const std::string& name, const std::string& tag) {
  Statement find = database_.Prepare(
      "SELECT there, here FROM had WHERE name = ?1 AND tag = ?2 AND (there <> here OR NOT "
      "EXISTS(SELECT 1 FROM refs JOIN versions ON ref = refs.key JOIN states ON states.key = "
      "versions.state WHERE refs.name = ?1 AND refs.tag = ?2 AND states.id = had.here)) "
      "ORDER BY there");
  find.Bind(name).Bind(tag);
  Change change{.kind = ChangeKind::kHad, .name = name, .tag = tag};
  while (find.Step()) change.had.push_back({find.ToDigest(0), find.ToDigest(1)});
  if (!change.had.empty()) pending_.Add(std::move(change));
}

void IndexReferences::RestoreHad(const Change& change) {
  for (const HadState& state : change.had) AddHad(change.name, change.tag, state);
}

bool IndexReferences::Restore(const Change& change, bool forgotten) {
  auto key = KeyOfLine(change.line);
  bool done = true;
  switch (change.kind) {
    case ChangeKind::kVersion: {
      if (!forgotten &&
          (!IndexStates(database_).Find(change.state) || !lineage_.Exists(change.derivation) ||
           lineage_.Get(change.derivation).state != change.state))
        return false;
      if (!key && KeyOf(change.name, change.tag)) return false;
      if (!key) key = Make(change.name, change.tag, change.line, change.made_at_ms);
      if (FindVersion(change.name, change.tag, change.version)) return false;
      if (forgotten) {
        MakeCurrent(*key, change.version, false, change.made_at_ms);
        AddHad(change.name, change.tag, {change.state, change.state});
      } else {
        AddVersion(*key, change);
      }
      break;
    }
    case ChangeKind::kReturn:
      if (!key || (!forgotten && !FindVersion(change.name, change.tag, change.version)))
        return false;
      MakeCurrent(*key, change.version, change.undoes, change.made_at_ms);
      break;
    case ChangeKind::kRenamedTo:
    case ChangeKind::kRenamedFrom:
      if (!key) return false;
      done = RestoreName(change);
      break;
    case ChangeKind::kForgotten:
      if (!key) return false;
      TakeVersions(*key, change.forgotten, change.made_at_ms);
      break;
    default:
      return false;
  }
  Statement step = database_.Prepare("UPDATE refs SET steps = max(steps, ?) WHERE key = ?");
  step.Bind(change.step).Bind(*key);
  step.Run();
  return done;
}

/// Both records of a renaming say it, so that one of them is enough.
bool IndexReferences::RestoreName(const Change& change) {
  const bool to_other = change.kind == ChangeKind::kRenamedTo;
  const std::string& name = to_other ? change.other_name : change.name;
  const std::string& tag = to_other ? change.other_tag : change.tag;
  const int64_t key = *KeyOfLine(change.line);
  if (const auto holder = KeyOf(name, tag)) return *holder == key;
  SetName(key, name, tag);
  return true;
}

void IndexReferences::SetName(int64_t key, const std::string& name, const std::string& tag) {
  Statement had = database_.Prepare(
      "INSERT INTO had(name, tag, there, here) SELECT ?, ?, there, here FROM had JOIN refs USING"
      "(name, tag) WHERE refs.key = ? ON CONFLICT(name, tag, there) DO NOTHING");
  had.Bind(name).Bind(tag).Bind(key);
  had.Run();
  Statement statement = database_.Prepare("UPDATE refs SET name = ?, tag = ? WHERE key = ?");
  statement.Bind(name).Bind(tag).Bind(key);
  statement.Run();
}

void IndexReferences::MakeCurrent(int64_t key, uint64_t number, bool undoes, int64_t now_ms) {
  Statement move = database_.Prepare("UPDATE refs SET current = ?, moved_at = ? WHERE key = ?");
  move.Bind(number).Bind(now_ms).Bind(key);
  move.Run();
  Statement record = database_.Prepare(
      "INSERT INTO moves(ref, number, version, undoes, moved_at) SELECT ?1, coalesce(max(number), "
      "0) + 1, ?2, ?3, ?4 FROM moves WHERE ref = ?1");
  record.Bind(key).Bind(number).Bind(int64_t{undoes}).Bind(now_ms);
  record.Run();
}

void IndexReferences::Return(const std::string& name, const std::string& tag, uint64_t number,
                             bool undoes, int64_t now_ms) {
  database_.Write([&] {
    const auto key = KeyOf(name, tag);
    if (!key || !FindVersion(name, tag, number))
      Throw(ErrorKind::kNotFound, "there is no version {} of {}:{}", number, name, tag);
    MakeCurrent(*key, number, undoes, now_ms);
    Change change = NextStep(ChangeKind::kReturn, *key, now_ms);
    change.version = number;
    change.undoes = undoes;
    pending_.Add(std::move(change));
  });
}

void IndexReferences::Rename(const std::string& name, const std::string& tag,
                             const std::string& new_name, const std::string& new_tag,
                             int64_t now_ms) {
  database_.Write([&] {
    const auto key = KeyOf(name, tag);
    if (!key) Throw(ErrorKind::kNotFound, "there is no state named {}:{}", name, tag);
    if (KeyOf(new_name, new_tag)) {
      Throw(ErrorKind::kInvalidArgument,
            "{}:{} exists already; remove it first with `statelib rm {}:{}` or choose another name",
            new_name, new_tag, new_name, new_tag);
    }
    Change change = NextStep(ChangeKind::kRenamedTo, *key, now_ms);
    change.other_name = new_name;
    change.other_tag = new_tag;
    pending_.Add(change);
    SetName(*key, new_name, new_tag);
    std::swap(change.name, change.other_name);
    std::swap(change.tag, change.other_tag);
    change.kind = ChangeKind::kRenamedFrom;
    pending_.Add(std::move(change));
    RecordHad(name, tag);
    RecordHad(new_name, new_tag);
  });
}

void IndexReferences::Remove(const std::string& name, const std::string& tag, int64_t now_ms) {
  database_.Write([&] {
    const auto key = KeyOf(name, tag);
    if (!key) Throw(ErrorKind::kNotFound, "there is no state named {}:{}", name, tag);
    pending_.Add(NextStep(ChangeKind::kRemoved, *key, now_ms));
    Statement release = database_.Prepare(
        "UPDATE states SET released_at = ? WHERE key IN (SELECT state FROM versions JOIN refs ON "
        "refs.key = ref WHERE refs.key = ?)");
    release.Bind(now_ms).Bind(*key);
    release.Run();
    Statement statement = database_.Prepare("DELETE FROM refs WHERE key = ?");
    statement.Bind(*key);
    statement.Run();
    RecordHad(name, tag);
  });
}

void IndexReferences::Forget(const std::string& name, const std::string& tag,
                             std::vector<uint64_t> numbers, int64_t now_ms) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  if (numbers.empty()) return;
  database_.Write([&] {
    for (const uint64_t number : numbers) {
      const auto version = FindVersion(name, tag, number);
      if (!version)
        Throw(ErrorKind::kNotFound, "there is no version {} of {}:{}", number, name, tag);
      if (version->current)
        Throw(ErrorKind::kInvalidArgument, "{}:{} stands for its version {}, which stays", name,
              tag, number);
    }
    const int64_t key = *KeyOf(name, tag);
    Change change = NextStep(ChangeKind::kForgotten, key, now_ms);
    TakeVersions(key, numbers, now_ms);
    change.forgotten = std::move(numbers);
    pending_.Add(std::move(change));
    RecordHad(name, tag);
  });
}

void IndexReferences::TakeVersions(int64_t key, const std::vector<uint64_t>& numbers,
                                   int64_t now_ms) {
  Statement release = database_.Prepare(
      "UPDATE states SET released_at = ? WHERE key IN (SELECT state FROM versions WHERE ref = ? "
      "AND number = ?)");
  Statement take = database_.Prepare("DELETE FROM versions WHERE ref = ? AND number = ?");
  for (const uint64_t number : numbers) {
    release.Bind(now_ms).Bind(key).Bind(number);
    release.Run();
    take.Bind(key).Bind(number);
    take.Run();
  }
  TakeMoves(key);
}

/// Leaves the moves that were not undone, to versions that are there, the first of those in a row
/// that go to the same one.
void IndexReferences::TakeMoves(int64_t key) {
  struct Went {
    int64_t move;
    uint64_t version;
    bool is_there;
  };
  std::vector<Went> line;
  Statement moves = database_.Prepare(
      "SELECT moves.number, moves.version, undoes, versions.number IS NOT NULL FROM moves LEFT "
      "JOIN versions ON versions.ref = moves.ref AND versions.number = moves.version WHERE "
      "moves.ref = ? ORDER BY moves.number");
  moves.Bind(key);
  while (moves.Step()) {
    if (moves.Int(2) == 0)
      line.push_back({moves.Int(0), moves.Uint(1), moves.Int(3) != 0});
    else if (!line.empty())
      line.pop_back();
  }
  Statement take =
      database_.Prepare("DELETE FROM moves WHERE ref = ?1 AND number > ?2 AND number < ?3");
  int64_t kept = -1;
  uint64_t version = 0;
  for (const Went& went : line) {
    if (!went.is_there || went.version == version) continue;
    take.Bind(key).Bind(kept).Bind(went.move);
    take.Run();
    kept = went.move;
    version = went.version;
  }
  take.Bind(key).Bind(kept).Bind(INT64_MAX);
  take.Run();
}

}  // namespace statelib::storage
