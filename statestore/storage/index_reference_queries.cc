// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index_references.h"

#include <fmt/format.h>

#include <algorithm>

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

std::vector<HadState> IndexReferences::HadBy(const std::string& name,
                                             const std::string& tag) const {
  Statement statement =
      database_.Prepare("SELECT there, here FROM had WHERE name = ? AND tag = ? ORDER BY there");
  statement.Bind(name).Bind(tag);
  std::vector<HadState> states;
  while (statement.Step()) states.push_back({statement.ToDigest(0), statement.ToDigest(1)});
  return states;
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
  const bool by_tags = query.tag && query.tag->find_first_of("*?[") != std::string::npos;
  if (query.tag) sql += by_tags ? "AND refs.tag GLOB ? " : "AND refs.tag = ? ";
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

}  // namespace statelib::storage
