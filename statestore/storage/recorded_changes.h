// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_RECORDED_CHANGES_H_
#define STATELIB_STATESTORE_STORAGE_RECORDED_CHANGES_H_

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "statestore/storage/change_log.h"

namespace statelib::storage {

/// What the records of a library say that happened, for an index to be made from.
struct RecordedChanges {
  struct Entry {
    RecordFile file;  ///< without its bytes
    ChangeRecord record;
  };
  std::optional<LibraryIdentity> library;  ///< that they are of; empty where there is none
  std::vector<Entry> entries;              ///< of transactions that came, in their order
  std::set<int64_t> removed_lines;
  std::set<std::pair<int64_t, uint64_t>> forgotten;  ///< versions of lines
  std::vector<std::string> lost;  ///< a line for each record that is damaged or contradicts others
  /// Records of transactions that did not come whole: as if they had never begun.
  uint64_t unfinished = 0;
};

/// Reads all records. Of several libraries' those of `library` count, else those of the one that
/// most are of. A transaction came if the next one names it; the last one if all its records are
/// there, and of several last ones the latest. Errors: kIo.
RecordedChanges ReadRecords(const ChangeLog& log, const std::optional<LibraryIdentity>& library);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_RECORDED_CHANGES_H_
