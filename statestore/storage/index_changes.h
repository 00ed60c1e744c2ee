// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_INDEX_CHANGES_H_
#define STATELIB_STATESTORE_STORAGE_INDEX_CHANGES_H_

#include <functional>
#include <optional>
#include <vector>

#include "statestore/storage/change.h"
#include "statestore/storage/sqlite_database.h"

namespace statelib::storage {

/// Records that nothing needs any more.
struct DeadRecords {
  std::vector<RecordFile> others;
  std::vector<RecordFile>
      removals;  ///< to be removed after the others: they say that those are dead
};

/// Which records stand beside an index. One thread. Errors: those of Database.
class IndexChanges {
 public:
  explicit IndexChanges(Database& database) : database_(database) {}

  /// Numbers the changes of the transaction that is going on and adds their rows; returns their
  /// records, which are to be durable before it commits.
  std::vector<RecordFile> Add(const LibraryIdentity& library, std::vector<Change> changes);
  /// Adds the row of a record that is there, and takes over its transaction's number, which
  /// ascends from call to call, and its line's.
  void Restore(const RecordFile& file, const ChangeRecord& record);

  /// The last transaction that changed something; its number is 0 where there was none.
  TransactionMark last_transaction() const;
  /// The number of a new line.
  int64_t NewLine();
  /// Calls back for every record by its name, which has no bytes.
  void ForEach(const std::function<void(const RecordFile& name)>& visit) const;
  /// Whether a record is named, as a function for many looks, which must not outlive this object.
  std::function<bool(const RecordFile& name)> Names() const;
  uint64_t count() const;

  /// Forgets the records that nothing needs any more, and returns them: of a model or a setting all
  /// but the last; of a line that was removed those whose state and derivations are gone too. The
  /// last of every key stays, and the record of a removal goes after the others of its line.
  DeadRecords RemoveDead();

 private:
  void AddRow(const RecordFile& file, const Change& change);
  void SetLastTransaction(const TransactionMark& mark);

  Database& database_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_INDEX_CHANGES_H_
