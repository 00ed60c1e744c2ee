// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index_references.h"

#include <algorithm>

#include "core/base/error.h"

namespace statelib::storage {

namespace {

// CROSS JOIN keeps this order of the tables, so that refs' indexes serve the sort and the filter.
constexpr const char* kSelect =
    "SELECT refs.name, refs.tag, refs.current, refs.moved_at, states.id, states.model, "
    "states.profile, states.token_count, states.history_chain, states.content, "
    "states.tokens_kept, states.raw_bytes, states.stored_bytes, states.created_at, states.base, "
    "models.name "
    "FROM refs CROSS JOIN versions ON versions.ref = refs.key AND versions.number = refs.current "
    "CROSS JOIN states ON states.key = versions.state "
    "CROSS JOIN models ON models.fingerprint = states.model ";

ReferenceRow ToRow(const Statement& statement) {
  ReferenceRow row;
  row.name = statement.Text(0);
  row.tag = statement.Text(1);
  row.version = statement.Uint(2);
  row.moved_at_ms = statement.Int(3);
  row.state.id = statement.ToDigest(4);
  row.state.model = statement.ToDigest(5);
  row.state.profile = statement.Text(6);
  row.state.history = History(statement.Uint(7), statement.ToDigest(8));
  row.state.content = statement.ToDigest(9);
  row.state.tokens_kept = statement.Int(10) != 0;
  row.state.raw_bytes = statement.Uint(11);
  row.state.stored_bytes = statement.Uint(12);
  row.state.created_at_ms = statement.Int(13);
  row.state.base = statement.MaybeDigest(14);
  row.model_name = statement.Text(15);
  return row;
}

const char* OrderOf(ReferenceQuery::Sort sort, bool descending) {
  switch (sort) {
    case ReferenceQuery::Sort::kName:
      return descending ? "ORDER BY refs.name DESC, refs.tag DESC "
                        : "ORDER BY refs.name, refs.tag ";
    case ReferenceQuery::Sort::kTime:
      return descending ? "ORDER BY refs.moved_at DESC, refs.key DESC "
                        : "ORDER BY refs.moved_at, refs.key ";
    case ReferenceQuery::Sort::kTokens:
      return descending ? "ORDER BY states.token_count DESC, refs.name, refs.tag "
                        : "ORDER BY states.token_count, refs.name, refs.tag ";
    case ReferenceQuery::Sort::kSize:
      return descending ? "ORDER BY states.stored_bytes DESC, refs.name, refs.tag "
                        : "ORDER BY states.stored_bytes, refs.name, refs.tag ";
  }
  return "";
}

constexpr const char* kHasSource =
    "AND EXISTS(WITH RECURSIVE line(key) AS (SELECT versions.derivation UNION "
    "SELECT parent FROM derivations JOIN line USING(key) WHERE parent IS NOT NULL) "
    "SELECT 1 FROM line JOIN sources ON sources.derivation = line.key WHERE sources.name GLOB ?) ";

VersionRow ToVersion(const Statement& statement) {
  return {statement.Uint(0), statement.ToDigest(1), statement.Int(2), statement.Int(3),
          statement.Int(4) != 0};
}

constexpr const char* kSelectVersion =
    "SELECT versions.number, states.id, versions.derivation, versions.created_at, "
    "versions.number = refs.current FROM refs CROSS JOIN versions ON versions.ref = refs.key "
    "CROSS JOIN states ON states.key = versions.state WHERE refs.name = ? AND refs.tag = ? ";

}  // namespace

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
  NoteHad(change.name, change.tag, {change.state, change.state});
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
    change.state_created_at_ms = IndexStates(database_).Find(state)->created_at_ms;
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
  Statement statement = database_.Prepare(
      "INSERT INTO had(name, tag, there, here) VALUES(?, ?, ?, ?) "
      "ON CONFLICT(name, tag, there) DO UPDATE SET here = excluded.here");
  statement.Bind(name).Bind(tag).Bind(state.there).Bind(state.here);
  statement.Run();
}

std::vector<HadState> IndexReferences::HadBy(const std::string& name,
                                             const std::string& tag) const {
  Statement statement =
      database_.Prepare("SELECT there, here FROM had WHERE name = ? AND tag = ? ORDER BY there");
  statement.Bind(name).Bind(tag);
  std::vector<HadState> states;
  while (statement.Step()) states.push_back({statement.ToDigest(0), statement.ToDigest(1)});
  return states;
}

bool IndexReferences::Restore(const Change& change) {
  auto key = KeyOfLine(change.line);
  bool done = true;
  switch (change.kind) {
    case ChangeKind::kVersion: {
      if (!IndexStates(database_).Find(change.state) || !lineage_.Exists(change.derivation) ||
          lineage_.Get(change.derivation).state != change.state)
        return false;
      if (!key && KeyOf(change.name, change.tag)) return false;
      if (!key) key = Make(change.name, change.tag, change.line, change.made_at_ms);
      if (FindVersion(change.name, change.tag, change.version)) return false;
      AddVersion(*key, change);
      break;
    }
    case ChangeKind::kReturn:
      if (!key || !FindVersion(change.name, change.tag, change.version)) return false;
      MakeCurrent(*key, change.version, change.undoes, change.made_at_ms);
      break;
    case ChangeKind::kRenamedTo:
    case ChangeKind::kRenamedFrom:
      if (!key) return false;
      done = RestoreName(change);
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

std::optional<uint64_t> IndexReferences::VersionAt(const std::string& name, const std::string& tag,
                                                   int64_t moment_ms) const {
  Statement statement = database_.Prepare(
      "SELECT version FROM refs JOIN moves ON ref = refs.key WHERE name = ? AND tag = ? AND "
      "moves.moved_at <= ? ORDER BY number DESC LIMIT 1");
  statement.Bind(name).Bind(tag).Bind(moment_ms);
  if (!statement.Step()) return std::nullopt;
  return statement.Uint(0);
}

std::optional<uint64_t> IndexReferences::VersionBefore(const std::string& name,
                                                       const std::string& tag) const {
  Statement statement = database_.Prepare(
      "SELECT version, undoes FROM refs JOIN moves ON ref = refs.key WHERE name = ? AND tag = ? "
      "ORDER BY number");
  statement.Bind(name).Bind(tag);
  std::vector<uint64_t> line;  // what the name stood for, without what was undone
  while (statement.Step()) {
    if (statement.Int(1) == 0) {
      line.push_back(statement.Uint(0));
    } else if (!line.empty()) {
      line.pop_back();
    }
  }
  if (line.size() < 2) return std::nullopt;
  return line[line.size() - 2];
}

std::optional<ReferenceRow> IndexReferences::Find(const std::string& name,
                                                  const std::string& tag) const {
  Statement statement =
      database_.Prepare(std::string(kSelect) + "WHERE refs.name = ? AND refs.tag = ?");
  statement.Bind(name).Bind(tag);
  if (!statement.Step()) return std::nullopt;
  return ToRow(statement);
}

std::optional<VersionRow> IndexReferences::FindVersion(const std::string& name,
                                                       const std::string& tag,
                                                       std::optional<uint64_t> number) const {
  Statement statement = database_.Prepare(std::string(kSelectVersion) +
                                          "AND versions.number = coalesce(?, refs.current)");
  statement.Bind(name).Bind(tag).Bind(number);
  if (!statement.Step()) return std::nullopt;
  return ToVersion(statement);
}

std::vector<VersionRow> IndexReferences::Versions(const std::string& name,
                                                  const std::string& tag) const {
  Statement statement = database_.Prepare(std::string(kSelectVersion) + "ORDER BY versions.number");
  statement.Bind(name).Bind(tag);
  std::vector<VersionRow> rows;
  while (statement.Step()) rows.push_back(ToVersion(statement));
  return rows;
}

std::vector<ReferenceRow> IndexReferences::List(const ReferenceQuery& query) const {
  std::string sql = kSelect;
  // The part of a pattern before its first wildcard bounds the names by the index.
  const std::string prefix = query.name_pattern.substr(0, query.name_pattern.find_first_of("*?["));
  const bool by_name = !query.name_pattern.empty();
  sql += "WHERE 1 ";
  if (by_name) sql += "AND refs.name >= ? AND refs.name <= ? AND refs.name GLOB ? ";
  if (query.tag) sql += "AND refs.tag = ? ";
  if (query.model) sql += "AND states.model = ? ";
  if (!query.source_pattern.empty()) sql += kHasSource;
  const ReferenceQuery::Range any;
  if (query.moved_at_ms != any) sql += "AND refs.moved_at BETWEEN ? AND ? ";
  if (query.stored_bytes != any) sql += "AND states.stored_bytes BETWEEN ? AND ? ";
  if (query.token_count != any) sql += "AND states.token_count BETWEEN ? AND ? ";
  if (query.after)
    sql += query.descending ? "AND (refs.name, refs.tag) < (?, ?) "
                            : "AND (refs.name, refs.tag) > (?, ?) ";
  sql += OrderOf(query.sort, query.descending);
  sql += "LIMIT ? OFFSET ?";
  Statement statement = database_.Prepare(sql);
  // No character of a name sorts after U+10FFFF.
  if (by_name) statement.Bind(prefix).Bind(prefix + "\xF4\x8F\xBF\xBF").Bind(query.name_pattern);
  if (query.tag) statement.Bind(*query.tag);
  if (query.model) statement.Bind(*query.model);
  if (!query.source_pattern.empty()) statement.Bind(query.source_pattern);
  for (const auto* range : {&query.moved_at_ms, &query.stored_bytes, &query.token_count}) {
    if (*range != any) statement.Bind(range->lowest).Bind(range->highest);
  }
  if (query.after) statement.Bind(query.after->first).Bind(query.after->second);
  const uint64_t largest = INT64_MAX;
  statement.Bind(std::min(query.limit, largest)).Bind(std::min(query.offset, largest));
  std::vector<ReferenceRow> rows;
  while (statement.Step()) rows.push_back(ToRow(statement));
  return rows;
}

std::vector<std::string> IndexReferences::NamesOf(const StateId& state) const {
  Statement statement = database_.Prepare(
      "SELECT refs.name, refs.tag, versions.number FROM states "
      "CROSS JOIN versions ON versions.state = states.key CROSS JOIN refs ON refs.key = "
      "versions.ref WHERE states.id = ? ORDER BY refs.name, refs.tag, versions.number");
  statement.Bind(state);
  std::vector<std::string> names;
  while (statement.Step()) {
    names.push_back(
        fmt::format("{}:{}@{}", statement.Text(0), statement.Text(1), statement.Int(2)));
  }
  return names;
}

std::optional<Reference> IndexReferences::VersionBy(int64_t derivation) const {
  Statement statement = database_.Prepare(
      "SELECT refs.name, refs.tag, versions.number FROM versions JOIN refs ON refs.key = "
      "versions.ref WHERE versions.derivation = ?");
  statement.Bind(derivation);
  if (!statement.Step()) return std::nullopt;
  return Reference{statement.Text(0), statement.Text(1), statement.Uint(2)};
}

void IndexReferences::ForEachName(const std::function<void(const std::string&)>& visit) const {
  Statement statement = database_.Prepare("SELECT DISTINCT name FROM refs ORDER BY name");
  while (statement.Step()) visit(statement.Text(0));
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
  });
}

}  // namespace statelib::storage
