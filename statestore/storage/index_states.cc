// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index_states.h"

#include <memory>

#include "core/base/error.h"
#include "statestore/storage/limits.h"

namespace statelib::storage {

namespace {

constexpr const char* kSelect =
    "SELECT id, model, profile, token_count, history_chain, content, tokens_kept, raw_bytes, "
    "stored_bytes, created_at, base FROM states ";

StateRow ToRow(const Statement& statement) {
  StateRow row;
  row.id = statement.ToDigest(0);
  row.model = statement.ToDigest(1);
  row.profile = statement.Text(2);
  row.history = History(statement.Uint(3), statement.ToDigest(4));
  row.content = statement.ToDigest(5);
  row.tokens_kept = statement.Int(6) != 0;
  row.raw_bytes = statement.Uint(7);
  row.stored_bytes = statement.Uint(8);
  row.created_at_ms = statement.Int(9);
  row.base = statement.MaybeDigest(10);
  return row;
}

std::vector<StateRow> ToRows(Statement& statement) {
  std::vector<StateRow> rows;
  while (statement.Step()) rows.push_back(ToRow(statement));
  return rows;
}

}  // namespace

StateRow RowOf(const StateId& id, const StateHeader& header, uint64_t stored_bytes,
               int64_t created_at_ms) {
  const StateDescription& description = header.description;
  return {id,
          description.model.fingerprint,
          description.profile,
          description.history,
          header.content,
          description.tokens_kept,
          TotalBytes(description.spec),
          stored_bytes,
          created_at_ms,
          header.base};
}

void IndexStates::Add(const StateRow& state, const std::vector<TokenChunk>& chunks) {
  database_.Write([&] {
    Statement statement = database_.Prepare(
        "INSERT INTO states(id, model, profile, token_count, history_chain, content, tokens_kept, "
        "raw_bytes, stored_bytes, created_at, base) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT(id) DO NOTHING");
    statement.Bind(state.id)
        .Bind(state.model)
        .Bind(state.profile)
        .Bind(state.history.token_count())
        .Bind(state.history.chain())
        .Bind(state.content)
        .Bind(int64_t{state.tokens_kept})
        .Bind(state.raw_bytes)
        .Bind(state.stored_bytes)
        .Bind(state.created_at_ms)
        .Bind(state.base);
    statement.Run();
    if (database_.changed_rows() == 0) return;
    const int64_t key = database_.last_insert_key();
    Statement insert = database_.Prepare(
        "INSERT INTO state_chunks(state, position, chunk, token_count) VALUES(?, ?, ?, ?)");
    for (size_t i = 0; i < chunks.size(); ++i) {
      insert.Bind(key).Bind(uint64_t{i}).Bind(chunks[i].id).Bind(int64_t{chunks[i].token_count});
      insert.Run();
    }
  });
}

std::optional<StateRow> IndexStates::Find(const StateId& id) const {
  Statement statement = database_.Prepare(std::string(kSelect) + "WHERE id = ?");
  statement.Bind(id);
  if (!statement.Step()) return std::nullopt;
  return ToRow(statement);
}

StateRow IndexStates::Get(const StateId& id) const {
  if (auto row = Find(id)) return *std::move(row);
  ThrowDamagedIndex(database_.path(), "it has no row of the state " + id.ShortHex());
}

std::optional<StateRow> IndexStates::FindEqual(const StateRow& like) const {
  for (const StateRow& row : FindByHistory(like.model, like.profile, like.history)) {
    if (row.content == like.content && row.tokens_kept == like.tokens_kept) return row;
  }
  return std::nullopt;
}

std::vector<StateRow> IndexStates::FindByHistory(const Digest& model, const std::string& profile,
                                                 const History& history) const {
  Statement statement =
      database_.Prepare(std::string(kSelect) +
                        "WHERE history_chain = ? AND model = ? AND profile = ? AND token_count = ? "
                        "ORDER BY created_at DESC, key DESC");
  statement.Bind(history.chain()).Bind(model).Bind(profile).Bind(history.token_count());
  return ToRows(statement);
}

std::optional<StateRow> IndexStates::FindOfModel(const Digest& model,
                                                 const std::string& base_profile) const {
  Statement statement = database_.Prepare(
      std::string(kSelect) +
      "WHERE model = ?1 AND (profile = ?2 OR substr(profile, 1, length(?2) + 1) IN (?2 || '+', "
      "?2 || '~')) "
      "LIMIT 1");
  statement.Bind(model).Bind(base_profile);
  if (!statement.Step()) return std::nullopt;
  return ToRow(statement);
}

std::vector<StateRow> IndexStates::FindByPrefix(std::string_view hex, size_t limit) const {
  if (hex.size() > 64) return {};
  const size_t missing = 64 - hex.size();
  const auto first = Digest::FromHex(std::string(hex) + std::string(missing, '0'));
  const auto last = Digest::FromHex(std::string(hex) + std::string(missing, 'f'));
  if (!first || !last) return {};
  Statement statement =
      database_.Prepare(std::string(kSelect) + "WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?");
  statement.Bind(*first).Bind(*last).Bind(uint64_t{limit});
  return ToRows(statement);
}

std::vector<uint64_t> IndexStates::Lengths(const Digest& model, const std::string& profile,
                                           uint64_t longest, uint64_t shortest) const {
  // One look into the index a length, however many states have it.
  Statement statement = database_.Prepare(
      "WITH RECURSIVE lengths(n) AS (SELECT max(token_count) FROM states WHERE model = ?1 AND "
      "profile = ?2 AND token_count <= ?3 UNION ALL SELECT (SELECT max(token_count) FROM states "
      "WHERE model = ?1 AND profile = ?2 AND token_count < n) FROM lengths WHERE n > ?4) "
      "SELECT n FROM lengths WHERE n > ?4");
  statement.Bind(model).Bind(profile).Bind(longest).Bind(shortest);
  std::vector<uint64_t> lengths;
  while (statement.Step()) lengths.push_back(statement.Uint(0));
  return lengths;
}

void IndexStates::LinkPrefix(const StateId& state, const StateId& prefix) {
  Statement statement = database_.Prepare(
      "UPDATE states SET prefix = shorter.key "
      "FROM (SELECT key, token_count FROM states WHERE id = ?1 UNION ALL "
      "SELECT longest.key, longest.token_count FROM states AS equal JOIN states AS longest "
      "ON longest.key = equal.prefix WHERE equal.id = ?1 AND "
      "(equal.history_chain, equal.content, equal.profile) = "
      "(SELECT history_chain, content, profile FROM states WHERE id = ?2)) "
      "AS shorter WHERE states.id = ?2 AND shorter.token_count < states.token_count AND "
      "coalesce((SELECT token_count FROM states AS now WHERE now.key = states.prefix), -1) < "
      "shorter.token_count");
  statement.Bind(prefix).Bind(state);
  statement.Run();
}

std::optional<StateRow> IndexStates::FindBase(const StateId& prefix,
                                              const StateDescription& state) const {
  Statement statement = database_.Prepare(
      "WITH RECURSIVE chain(key) AS (SELECT key FROM states WHERE id = ? UNION "
      "SELECT prefix FROM states JOIN chain USING(key) WHERE prefix IS NOT NULL) " +
      std::string(kSelect) +
      "JOIN chain USING(key) WHERE base IS NULL AND token_count < ? AND model = ? AND profile = ? "
      "AND tokens_kept <= ? ORDER BY token_count DESC LIMIT 1");
  statement.Bind(prefix)
      .Bind(state.history.token_count())
      .Bind(state.model.fingerprint)
      .Bind(state.profile)
      .Bind(int64_t{state.tokens_kept});
  if (!statement.Step()) return std::nullopt;
  return ToRow(statement);
}

std::vector<TokenChunk> IndexStates::ChunksOf(const StateId& id) const {
  Statement statement = database_.Prepare(
      "SELECT chunk, state_chunks.token_count FROM states JOIN state_chunks ON state = states.key "
      "WHERE id = ? ORDER BY position");
  statement.Bind(id);
  std::vector<TokenChunk> chunks;
  while (statement.Step()) {
    const uint64_t token_count = statement.Uint(1);
    if (token_count == 0 || token_count > kTokensPerChunk) {
      ThrowDamagedIndex(database_.path(), fmt::format("a chunk of {} tokens, expected 1 to {}",
                                                      token_count, kTokensPerChunk));
    }
    chunks.push_back({statement.ToDigest(0), static_cast<uint32_t>(token_count)});
  }
  return chunks;
}

void IndexStates::ForEach(const std::function<void(const StateRow&)>& visit) const {
  Statement statement = database_.Prepare(std::string(kSelect) + "ORDER BY id");
  while (statement.Step()) visit(ToRow(statement));
}

std::function<bool(const ObjectId&)> IndexStates::NeedsObject() const {
  const auto statement = std::make_shared<Statement>(
      database_.Prepare("SELECT EXISTS(SELECT 1 FROM states WHERE id = ?) OR "
                        "EXISTS(SELECT 1 FROM state_chunks WHERE chunk = ?)"));
  return [statement](const ObjectId& object) {
    statement->Bind(object).Bind(object);
    const bool needed = statement->Step() && statement->Int(0) != 0;
    statement->Reset();
    return needed;
  };
}

uint64_t IndexStates::count() const {
  Statement statement = database_.Prepare("SELECT count(*) FROM states");
  return statement.Step() ? statement.Uint(0) : 0;
}

void IndexStates::Prove(const StateId& state, const std::string& profile, uint64_t from_tokens,
                        int64_t now_ms) {
  Statement statement = database_.Prepare(
      "INSERT INTO proofs(state, profile, from_tokens, proved_at) SELECT key, ?, ?, ? FROM states "
      "WHERE id = ? ON CONFLICT(state, profile) DO UPDATE SET from_tokens = excluded.from_tokens, "
      "proved_at = excluded.proved_at");
  statement.Bind(profile).Bind(from_tokens).Bind(now_ms).Bind(state);
  statement.Run();
}

void IndexStates::Disprove(const StateId& state) {
  Statement statement =
      database_.Prepare("DELETE FROM proofs WHERE state = (SELECT key FROM states WHERE id = ?)");
  statement.Bind(state);
  statement.Run();
}

std::vector<ProofRow> IndexStates::ProofsOf(const StateId& state) const {
  Statement statement = database_.Prepare(
      "SELECT proofs.profile, from_tokens, proved_at FROM proofs JOIN states ON states.key = state "
      "WHERE id = ? ORDER BY proved_at DESC");
  statement.Bind(state);
  std::vector<ProofRow> rows;
  while (statement.Step()) rows.push_back({statement.Text(0), statement.Uint(1), statement.Int(2)});
  return rows;
}

std::vector<StateRow> IndexStates::Unreachable(int64_t unfinished_since_ms,
                                               int64_t released_since_ms) const {
  Statement statement = database_.Prepare(
      "WITH RECURSIVE needed(key) AS (SELECT prefix FROM states WHERE prefix IS NOT NULL AND "
      "EXISTS(SELECT 1 FROM versions WHERE versions.state = states.key) UNION "
      "SELECT prefix FROM states JOIN needed USING(key) WHERE prefix IS NOT NULL), "
      "gone(key) AS (SELECT key FROM states "
      "WHERE NOT EXISTS(SELECT 1 FROM versions WHERE versions.state = states.key) AND "
      "coalesce(released_at, created_at) <= ? AND "
      "NOT EXISTS(SELECT 1 FROM checkpoints WHERE checkpoints.state = states.key AND "
      "(unfinished AND made_at > ? OR states.key IN needed))) " +
      std::string(kSelect) +
      "WHERE key IN gone AND NOT EXISTS(SELECT 1 FROM states AS delta "
      "WHERE delta.base = states.id AND delta.key NOT IN gone) ORDER BY id");
  statement.Bind(released_since_ms).Bind(unfinished_since_ms);
  return ToRows(statement);
}

void IndexStates::Remove(const StateId& state) {
  Statement statement = database_.Prepare("DELETE FROM states WHERE id = ?");
  statement.Bind(state);
  statement.Run();
}

}  // namespace statelib::storage
