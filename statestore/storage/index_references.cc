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

uint64_t IndexReferences::Move(const std::string& name, const std::string& tag,
                               const StateId& state, int64_t derivation, int64_t now_ms) {
  uint64_t number = 1;
  database_.Write([&] {
    Statement make = database_.Prepare(
        "INSERT INTO refs(name, tag, current, moved_at) VALUES(?, ?, 1, ?) "
        "ON CONFLICT(name, tag) DO NOTHING");
    make.Bind(name).Bind(tag).Bind(now_ms);
    make.Run();
    const auto found = KeyOf(name, tag);
    if (!found) ThrowDamagedIndex(database_.path(), "a name that it has is not found in it");
    const int64_t key = *found;
    Statement newest =
        database_.Prepare("SELECT coalesce(max(number), 0) + 1 FROM versions WHERE ref = ?");
    newest.Bind(key);
    newest.Step();
    number = newest.Uint(0);
    newest.Reset();
    Statement insert = database_.Prepare(
        "INSERT INTO versions(ref, number, state, derivation, created_at) "
        "SELECT ?, ?, key, ?, ? FROM states WHERE id = ?");
    insert.Bind(key).Bind(number).Bind(derivation).Bind(now_ms).Bind(state);
    insert.Run();
    if (database_.changed_rows() != 1)
      Throw(ErrorKind::kNotFound, "the library holds no state {}", state.ShortHex());
    MakeCurrent(key, number, false, now_ms);
  });
  return number;
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
  // No character of a name sorts after 0x7f.
  if (by_name) statement.Bind(prefix).Bind(prefix + "\x7f").Bind(query.name_pattern);
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

void IndexReferences::ForEachName(const std::function<void(const std::string&)>& visit) const {
  Statement statement = database_.Prepare("SELECT DISTINCT name FROM refs ORDER BY name");
  while (statement.Step()) visit(statement.Text(0));
}

void IndexReferences::Rename(const std::string& name, const std::string& tag,
                             const std::string& new_name, const std::string& new_tag) {
  database_.Write([&] {
    const auto key = KeyOf(name, tag);
    if (!key) Throw(ErrorKind::kNotFound, "there is no state named {}:{}", name, tag);
    if (KeyOf(new_name, new_tag)) {
      Throw(ErrorKind::kInvalidArgument,
            "{}:{} exists already; remove it first with `statelib rm {}:{}` or choose another name",
            new_name, new_tag, new_name, new_tag);
    }
    Statement statement = database_.Prepare("UPDATE refs SET name = ?, tag = ? WHERE key = ?");
    statement.Bind(new_name).Bind(new_tag).Bind(*key);
    statement.Run();
  });
}

void IndexReferences::Remove(const std::string& name, const std::string& tag, int64_t now_ms) {
  database_.Write([&] {
    Statement release = database_.Prepare(
        "UPDATE states SET released_at = ? WHERE key IN (SELECT state FROM versions JOIN refs ON "
        "refs.key = ref WHERE name = ? AND tag = ?)");
    release.Bind(now_ms).Bind(name).Bind(tag);
    release.Run();
    Statement statement = database_.Prepare("DELETE FROM refs WHERE name = ? AND tag = ?");
    statement.Bind(name).Bind(tag);
    statement.Run();
    if (database_.changed_rows() == 0)
      Throw(ErrorKind::kNotFound, "there is no state named {}:{}", name, tag);
  });
}

}  // namespace statelib::storage
