// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_REPAIR_H_
#define STATELIB_STATESTORE_STORAGE_REPAIR_H_

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/file_system.h"
#include "statestore/storage/recorded_changes.h"
#include "statestore/storage/state_survey.h"

namespace statelib::storage {

struct RepairOptions {
  bool rebuild = false;  ///< makes the index again even if nothing is wrong with it
  int64_t now_ms = 0;
  SurveyControl control{};
};

struct RepairReport {
  std::string damage;  ///< what was wrong; empty: nothing, and nothing was changed
  bool wrote_library_file = false;
  bool rebuilt = false;                 ///< the index was made again; else what follows is 0
  std::filesystem::path damaged_index;  ///< where the old one is now; empty: there was none
  uint64_t names = 0;
  uint64_t versions = 0;
  uint64_t states = 0;
  uint64_t checkpoints = 0;  ///< of the states: what a named one was computed from
  uint64_t models = 0;
  uint64_t records = 0;
  uint64_t unfinished_records = 0;  ///< of changes that were cut off before they were made
  uint64_t unneeded_objects = 0;    ///< which gc will remove
  std::vector<std::string> lost;    ///< a line for each thing that could not be brought back
};

/// Makes a library whole whose index is lost or damaged: a new index from objects/ and records/,
/// built beside the old one, which is kept as index.db.damaged-N, and put in its place at the end;
/// a library.toml that is missing, too. Every object is verified before a row names it. What was
/// removed stays removed. A library that is sound is left alone. Nobody else has the library open
/// meanwhile. A crash at any instant leaves the library as before, or as after, or so that it is
/// refused until repair is run again, which ends it: never with a log that is not its index's.
/// Errors: kNotFound where there is no library; kBusy when somebody has it open; kCancelled, kIo.
RepairReport RepairIndex(const std::filesystem::path& library, FileSystem& files,
                         const RepairOptions& options);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_REPAIR_H_
