// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_INDEX_REBUILD_H_
#define STATELIB_STATESTORE_STORAGE_INDEX_REBUILD_H_

#include "statestore/storage/index.h"
#include "statestore/storage/recorded_changes.h"
#include "statestore/storage/repair.h"
#include "statestore/storage/state_survey.h"

namespace statelib::storage {

/// Fills a new, empty index with what the records say and the objects bear out, in one transaction.
/// Says in `report` what came back and what did not. Errors: kIo.
void FillIndex(Index& index, const RecordedChanges& changes, const StateSurvey& survey,
               int64_t now_ms, RepairReport* report);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_INDEX_REBUILD_H_
