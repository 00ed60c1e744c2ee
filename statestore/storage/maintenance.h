// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_MAINTENANCE_H_
#define STATELIB_STATESTORE_STORAGE_MAINTENANCE_H_

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "statestore/storage/repository.h"

namespace statelib::storage {

struct GarbageOptions {
  bool dry_run = false;
  int64_t now_ms = 0;
  /// What lost its last name so lately stays, for somebody may be about to use it.
  int64_t grace_ms = 0;
};

struct GarbageReport {
  std::vector<StateRow> states;   ///< that no name leads to and no checkpoint is
  std::vector<StateRow> thinned;  ///< checkpoints beyond the budget
  uint64_t waiting = 0;  ///< states that no name leads to and that stay for the grace period
  uint64_t objects = 0;  ///< files that no remaining state needs, those of `states` included
  uint64_t object_bytes = 0;
  int64_t derivations = 0;   ///< that are no ancestor of any version
  uint64_t temporaries = 0;  ///< files of unfinished writes
  uint64_t records = 0;      ///< of names that are gone, and of transactions that never came
};

/// How long the checkpoints of an ingest that was cut off wait for it to be run again.
inline constexpr int64_t kUnfinishedKeptMs = int64_t{7} * 24 * 3600 * 1000;

/// Removes what nothing leads to any more; with dry_run only says what that is. Keeps every state
/// that a version of an existing name leads to, the lineage of those, and, within the budget, the
/// checkpoints that they were computed from and those of ingests that were cut off lately. Waits
/// for writers and keeps them waiting: time linear in the number of objects. Rows go first and
/// files afterwards, so that a crash leaves files too many, never too few. Errors: kBusy, kIo,
/// kCorrupt for a damaged index and for one that is older than the records: then nothing is
/// removed.
GarbageReport CollectGarbage(Repository& repository, const GarbageOptions& options);

/// What gc would free now of the objects that states of the index are and use.
struct GarbageForecast {
  std::set<StateId> states;
  std::map<ObjectId, uint64_t> objects;  ///< with their stored bytes
};

/// What CollectGarbage without a grace period would remove: states, checkpoints that go with them
/// and those beyond the budget, bases, and the chunks of tokens that nothing else uses. Nothing is
/// changed. Within Index::Write it sees what was changed there. Time: linear in the states. Errors:
/// those of Database.
GarbageForecast ForecastGarbage(Repository& repository, int64_t now_ms);

/// Removes checkpoints until the rest takes nine tenths of the budget (thinning.h), if they are
/// beyond it and nobody else uses the library at this moment; what stays too many is gc's to
/// remove. Call it without a lease. Errors: kIo, kCorrupt (index).
void ThinCheckpoints(Repository& repository);

/// One thing that verify found wrong.
struct Problem {
  std::string what;                  ///< one line: the object, what was expected, what was found
  std::vector<std::string> affects;  ///< "name:tag@number" of the versions that cannot be used
};

struct VerifyReport {
  uint64_t states = 0;
  uint64_t tokens_objects = 0;
  uint64_t references = 0;
  uint64_t records = 0;
  uint64_t bytes_read = 0;
  uint64_t unneeded_objects = 0;  ///< what gc would remove
  std::vector<Problem> problems;
  std::vector<std::string> strangers;  ///< what lies in the library and is not its own
  std::vector<std::string> warnings;   ///< what is no damage, as that others can read the library
};

struct VerifyControl {
  const CancelFlag* cancel = nullptr;
  std::function<void(uint64_t states_done, uint64_t states_total)> on_progress;
};

/// Reads every object that some state needs and checks all that can be checked without a model:
/// hashes, frames, content digests, that the tokens make the history, that the index says of each
/// state what its object says, the index itself, and that the records are there from which it could
/// be made again. Time: one reading of all bytes. Damage is
/// reported, not thrown. Errors: kCancelled, kIo.
VerifyReport Verify(const Repository& repository, const VerifyControl& control = {});

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_MAINTENANCE_H_
