// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_INDEX_H_
#define STATELIB_STATESTORE_STORAGE_INDEX_H_

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "statestore/storage/change_log.h"
#include "statestore/storage/index_changes.h"
#include "statestore/storage/index_checkpoints.h"
#include "statestore/storage/index_lineage.h"
#include "statestore/storage/index_models.h"
#include "statestore/storage/index_references.h"
#include "statestore/storage/index_states.h"
#include "statestore/storage/index_texts.h"
#include "statestore/storage/library_file.h"
#include "statestore/storage/sqlite_database.h"

namespace statelib::storage {

/// index.db: what the library knows about its objects. Several processes may use one file at once;
/// an Index belongs to one thread. Errors: those of Database.
class Index {
 public:
  /// Opens an index and, when it may be written, brings its schema up to date; makes it if there is
  /// none, with an identity if one is given. Errors: also kUnsupported for a newer schema,
  /// kInvalidArgument for a foreign file, kCorrupt where the tables are not ours
  /// (index_shape.h).
  static Index Open(const std::filesystem::path& path, Database::Mode mode,
                    const std::optional<LibraryIdentity>& identity = {}, const Waits& waits = {});
  /// Opens the index of a library, which is never made here. Empty where the file holds nothing at
  /// all. Errors: also kCorrupt for another identity than this one, and where one of both has none.
  static std::optional<Index> Find(const std::filesystem::path& path, Database::Mode mode,
                                   const std::optional<LibraryIdentity>& identity,
                                   const Waits& waits = {});

  /// The identity in an index, which is not changed by looking. Errors: those of Open.
  static std::optional<LibraryIdentity> IdentityIn(const std::filesystem::path& path);

  IndexModels& models() { return parts_->models; }
  const IndexModels& models() const { return parts_->models; }
  IndexStates& states() { return parts_->states; }
  const IndexStates& states() const { return parts_->states; }
  IndexCheckpoints& checkpoints() { return parts_->checkpoints; }
  const IndexCheckpoints& checkpoints() const { return parts_->checkpoints; }
  IndexLineage& lineage() { return parts_->lineage; }
  const IndexLineage& lineage() const { return parts_->lineage; }
  IndexReferences& references() { return parts_->references; }
  const IndexReferences& references() const { return parts_->references; }
  IndexChanges& changes() { return parts_->changes; }
  const IndexChanges& changes() const { return parts_->changes; }
  IndexTexts& texts() { return parts_->texts; }
  const IndexTexts& texts() const { return parts_->texts; }

  /// One transaction over all parts: durable when it returns, undone when `body` throws.
  void Write(const std::function<void()>& body) { parts_->database.Write(body); }
  /// The same, and then as if it had not been.
  void Rehearse(const std::function<void()>& body) { parts_->database.Rehearse(body); }
  /// Moves what the WAL holds into the file and empties it, as far as nobody is in its way.
  void Settle();
  /// One unchanging view over all parts.
  void Read(const std::function<void()>& body) const { parts_->database.Read(body); }

  std::optional<LibraryIdentity> identity() const;
  /// From now on each transaction of Write that changes something writes its records durably before
  /// it commits.
  void KeepRecords(const LibraryIdentity& identity, ChangeLog log);

  /// What SQLite finds wrong with the file, and rows that contradict each other, a line each
  /// (index_damage.h).
  std::vector<std::string> FindDamage() const;

 private:
  // On the heap, so that an Index can be moved while its parts refer to the database.
  struct Parts {
    explicit Parts(Database opened);
    void WriteRecords();

    Database database;
    PendingChanges pending;
    IndexChanges changes;
    IndexModels models;
    IndexStates states;
    IndexCheckpoints checkpoints;
    IndexLineage lineage;
    IndexReferences references;
    IndexTexts texts;
    std::optional<ChangeLog> log;
    LibraryIdentity identity;
  };
  explicit Index(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

  std::unique_ptr<Parts> parts_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_INDEX_H_
