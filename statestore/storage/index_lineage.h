// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_INDEX_LINEAGE_H_
#define STATELIB_STATESTORE_STORAGE_INDEX_LINEAGE_H_

#include <vector>

#include "statestore/storage/pending_changes.h"
#include "statestore/storage/records.h"
#include "statestore/storage/sqlite_database.h"

namespace statelib::storage {

/// How the states of an index came to be. One thread. Errors: those of Database.
class IndexLineage {
 public:
  IndexLineage(Database& database, PendingChanges& pending)
      : database_(database), pending_(pending) {}

  /// Adds a derivation, its sources with it, and returns its key.
  int64_t Add(const Derivation& derivation);
  /// Adds one under the key that it had, unless that is there; without its parent if that is not.
  void Restore(const KeyedDerivation& keyed);
  bool Exists(int64_t key) const;
  /// Its parent has a smaller key, for it was there before. Errors: kCorrupt when there is no such
  /// derivation or its parent is not older.
  Derivation Get(int64_t key) const;
  /// The derivation and its ancestors, newest first; at most `limit` of them.
  std::vector<Derivation> AncestorsOf(int64_t key, size_t limit) const;

  /// The sizes of documents that were ingested, each once, from `largest` down.
  std::vector<uint64_t> SourceSizes(uint64_t largest) const;
  /// The states that one document, of this size and digest, was ingested into from nothing.
  std::vector<StateId> IngestedFrom(uint64_t size_bytes, const Digest& digest) const;

  /// Removes the derivations that are no ancestor of any version's; returns how many.
  int64_t RemoveUnreachable();
  int64_t CountUnreachable() const;

 private:
  int64_t Insert(const Derivation& derivation, std::optional<int64_t> key);

  Database& database_;
  PendingChanges& pending_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_INDEX_LINEAGE_H_
