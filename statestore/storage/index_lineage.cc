// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index_lineage.h"

#include "core/base/error.h"

namespace statelib::storage {

namespace {

constexpr const char* kReachable =
    "WITH RECURSIVE reachable(key) AS (SELECT derivation FROM versions UNION "
    "SELECT derivations.parent FROM derivations JOIN reachable USING(key) "
    "WHERE derivations.parent IS NOT NULL) ";

}  // namespace

int64_t IndexLineage::Add(const Derivation& derivation) {
  int64_t key = 0;
  database_.Write([&] {
    key = Insert(derivation, std::nullopt);
    pending_.AddDerivation({key, derivation});
  });
  return key;
}

void IndexLineage::Restore(const KeyedDerivation& keyed) {
  if (Exists(keyed.key)) return;
  Derivation derivation = keyed.derivation;
  if (derivation.parent && !Exists(*derivation.parent)) derivation.parent.reset();
  Insert(derivation, keyed.key);
}

int64_t IndexLineage::Insert(const Derivation& derivation, std::optional<int64_t> key) {
  database_.Write([&] {
    Statement statement = database_.Prepare(
        "INSERT INTO derivations(key, state, parent_state, parent, operation, token_count, "
        "created_at, separator, heading, made_from) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    statement.Bind(key)
        .Bind(derivation.state)
        .Bind(derivation.parent_state)
        .Bind(derivation.parent)
        .Bind(static_cast<int64_t>(derivation.operation))
        .Bind(derivation.token_count)
        .Bind(derivation.created_at_ms)
        .Bind(derivation.text_template.separator)
        .Bind(derivation.text_template.heading)
        .Bind(derivation.made_from);
    statement.Run();
    key = database_.last_insert_key();
    Statement insert = database_.Prepare(
        "INSERT INTO sources(derivation, position, name, size_bytes, digest, token_count, read_at, "
        "path) VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
    for (size_t i = 0; i < derivation.sources.size(); ++i) {
      const SourceRecord& source = derivation.sources[i];
      insert.Bind(*key)
          .Bind(uint64_t{i})
          .Bind(source.name)
          .Bind(source.size_bytes)
          .Bind(source.digest)
          .Bind(source.token_count)
          .Bind(source.read_at_ms)
          .Bind(source.path);
      insert.Run();
    }
  });
  return *key;
}

bool IndexLineage::Exists(int64_t key) const {
  Statement statement = database_.Prepare("SELECT 1 FROM derivations WHERE key = ?");
  statement.Bind(key);
  return statement.Step();
}

Derivation IndexLineage::Get(int64_t key) const {
  Statement statement = database_.Prepare(
      "SELECT state, parent_state, parent, operation, token_count, created_at, separator, heading, "
      "made_from FROM derivations WHERE key = ?");
  statement.Bind(key);
  if (!statement.Step())
    ThrowDamagedIndex(database_.path(), fmt::format("it has no row of the derivation {}", key));
  Derivation derivation;
  derivation.state = statement.ToDigest(0);
  derivation.parent_state = statement.MaybeDigest(1);
  derivation.parent = statement.MaybeInt(2);
  // This alone makes every line of ancestors end.
  if (derivation.parent && *derivation.parent >= key) {
    ThrowDamagedIndex(database_.path(), fmt::format("the derivation {} has a parent that is not "
                                                    "older, {}",
                                                    key, *derivation.parent));
  }
  derivation.operation = static_cast<Operation>(statement.Int(3));
  if (statement.Int(3) < 1 || statement.Int(3) > static_cast<int64_t>(Operation::kEdit)) {
    ThrowDamagedIndex(
        database_.path(),
        fmt::format("the derivation {} has an unknown operation, {}", key, statement.Int(3)));
  }
  derivation.token_count = statement.Uint(4);
  derivation.created_at_ms = statement.Int(5);
  derivation.text_template = {statement.Text(6), statement.Text(7)};
  derivation.made_from = statement.Text(8);
  Statement sources = database_.Prepare(
      "SELECT name, size_bytes, digest, token_count, read_at, path FROM sources WHERE derivation = "
      "? "
      "ORDER BY position");
  sources.Bind(key);
  while (sources.Step()) {
    derivation.sources.push_back({sources.Text(0), sources.Uint(1), sources.ToDigest(2),
                                  sources.Uint(3), sources.Int(4), sources.Text(5)});
  }
  return derivation;
}

std::vector<Derivation> IndexLineage::AncestorsOf(int64_t key, size_t limit) const {
  std::vector<Derivation> line;
  std::optional<int64_t> next = key;
  while (next && line.size() < limit) {
    line.push_back(Get(*next));
    next = line.back().parent;
  }
  return line;
}

std::vector<uint64_t> IndexLineage::SourceSizes(uint64_t largest) const {
  Statement statement = database_.Prepare(
      "WITH RECURSIVE sizes(n) AS (SELECT max(size_bytes) FROM sources WHERE size_bytes <= ? "
      "UNION ALL SELECT (SELECT max(size_bytes) FROM sources WHERE size_bytes < n) FROM sizes "
      "WHERE n > 0) SELECT n FROM sizes WHERE n > 0");
  statement.Bind(largest);
  std::vector<uint64_t> sizes;
  while (statement.Step()) sizes.push_back(statement.Uint(0));
  return sizes;
}

std::vector<StateId> IndexLineage::IngestedFrom(uint64_t size_bytes, const Digest& digest) const {
  Statement statement = database_.Prepare(
      "SELECT DISTINCT state FROM sources JOIN derivations ON derivations.key = derivation "
      "WHERE sources.size_bytes = ? AND digest = ? AND operation = ? AND parent_state IS NULL AND "
      "NOT EXISTS(SELECT 1 FROM sources AS other WHERE other.derivation = derivations.key AND "
      "other.position > 0)");
  statement.Bind(size_bytes).Bind(digest).Bind(static_cast<int64_t>(Operation::kIngest));
  std::vector<StateId> states;
  while (statement.Step()) states.push_back(statement.ToDigest(0));
  return states;
}

int64_t IndexLineage::CountUnreachable() const {
  Statement statement = database_.Prepare(
      std::string(kReachable) +
      "SELECT count(*) FROM derivations WHERE key NOT IN (SELECT key FROM reachable)");
  return statement.Step() ? statement.Int(0) : 0;
}

int64_t IndexLineage::RemoveUnreachable() {
  int64_t removed = 0;
  database_.Write([&] {
    // Those that go refer to each other, and to none that stays is referred by them alone: the
    // check waits for the end of the transaction.
    database_.Execute("PRAGMA defer_foreign_keys = ON");
    database_
        .Prepare(std::string(kReachable) +
                 "DELETE FROM derivations WHERE key NOT IN (SELECT key FROM reachable)")
        .Run();
    removed = database_.changed_rows();
  });
  return removed;
}

}  // namespace statelib::storage
