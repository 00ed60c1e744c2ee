// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_CHANGE_LOG_H_
#define STATELIB_STATESTORE_STORAGE_CHANGE_LOG_H_

#include <filesystem>
#include <functional>
#include <span>

#include "core/base/file_system.h"
#include "statestore/storage/change.h"

namespace statelib::storage {

/// The records of a library: records/ab/KEY-NUMBER-HASH, a file a change. A process that writes or
/// removes one holds the index's write lock. One thread.
class ChangeLog {
 public:
  using Path = std::filesystem::path;

  ChangeLog(FileSystem& files, Path records) : files_(&files), records_(std::move(records)) {}

  /// Writes the records of a transaction durably; those of one key ascend. Records of their keys
  /// with the same or a higher number, which a transaction left that never came, are removed first.
  /// `last_transaction` is the number of the last one that came. After an error none of them is
  /// there. Errors: kIo; kCorrupt where a record is of a later transaction than the next: then the
  /// index is older than the records.
  void Write(std::span<const RecordFile> records, uint64_t last_transaction) const;

  /// The record of this key, number and hash, checked. Errors: kNotFound, kCorrupt.
  ChangeRecord Read(const RecordFile& name) const;
  void Remove(const RecordFile& name) const;
  /// Makes removals durable, which are in the folders of these records.
  void SyncFoldersOf(std::span<const RecordFile> names) const;

  /// Calls back for every record by its name, which has no bytes.
  void ForEach(const std::function<void(const RecordFile& name)>& visit) const;
  /// Calls back for what a write left that was cut off.
  void ForEachTemporary(const std::function<void(const Path& file)>& visit) const;
  void RemoveTemporary(const Path& file) const { files_->Remove(file); }

  Path PathOf(const RecordFile& name) const;

  /// Errors: kCorrupt when a record's transaction is later than the one after `last_transaction`.
  void CheckIsNotLater(const RecordFile& name, uint64_t last_transaction) const;

 private:
  Path FolderOf(const Digest& key) const;
  void ForEachIn(const Path& folder,
                 const std::function<void(const Path& name, const RecordFile& record,
                                          bool temporary)>& visit) const;
  void MakeFolder(const Path& folder) const;
  void RemoveFrom(const RecordFile& first, uint64_t last_transaction) const;
  void WriteOne(const RecordFile& record) const;

  FileSystem* files_;
  Path records_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_CHANGE_LOG_H_
