// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/maintenance.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/base/disk_full.h"
#include "core/base/error.h"
#include "statestore/storage/reserve.h"
#include "statestore/storage/state_object.h"
#include "statestore/storage/token_history.h"

namespace statelib::storage {

namespace {

bool SameState(const StateRow& a, const StateRow& b) {
  return a.id == b.id && a.model == b.model && a.profile == b.profile && a.history == b.history &&
         a.content == b.content && a.tokens_kept == b.tokens_kept && a.raw_bytes == b.raw_bytes &&
         a.stored_bytes == b.stored_bytes && a.base == b.base;
}

/// One pass over a library, collecting what is wrong.
class Verifier {
 public:
  Verifier(const Repository& repository, const VerifyControl& control)
      : repository_(repository), control_(control) {}

  VerifyReport Run() {
    Try([&] {
      for (const std::string& line : repository_.index().FindDamage())
        report_.problems.push_back({line, {}});
    });
    Try([&] { report_.references = repository_.index().references().List({}).size(); });
    Try([&] { CheckStates(); });
    Try([&] { LookAtFiles(); });
    WarnOfReaders();
    report_.tokens_objects = sound_chunks_.size();
    return std::move(report_);
  }

 private:
  void WarnOfReaders() {
    struct stat info {};
    const std::string path = repository_.path().string();
    if (::stat(path.c_str(), &info) != 0 || (info.st_mode & 07) == 0) return;
    report_.warnings.push_back(
        fmt::format("{}: its permissions ({:o}) let others in, who can read what the states have "
                    "read; run `chmod -R o-rwx` on it, or go-rwx to have it for you alone",
                    path, info.st_mode & 0777));
  }

  /// What is left of a damaged index cannot be walked; that it is damaged is the finding.
  template <typename Part>
  void Try(Part part) {
    try {
      part();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCorrupt) throw;
      report_.problems.push_back({error.what(), {}});
    }
  }

  void CheckStates() {
    const Index& index = repository_.index();
    const uint64_t total = index.states().count();
    index.states().ForEach([&](const StateRow& row) {
      if (control_.cancel != nullptr) control_.cancel->Check();
      CheckState(row);
      ++report_.states;
      if (control_.on_progress) control_.on_progress(report_.states, total);
    });
  }

  void LookAtFiles() {
    const auto needed = repository_.index().states().NeedsObject();
    repository_.objects().ForEach([&](const ObjectId& id, uint64_t) {
      if (!needed(id)) ++report_.unneeded_objects;
    });
    repository_.objects().ForEachStranger(
        [&](const auto& file) { report_.strangers.push_back(file.string()); });
    CheckRecords();
  }

  void CheckRecords() {
    const IndexChanges& changes = repository_.index().changes();
    const ChangeLog log = repository_.records();
    changes.ForEach([&](const RecordFile& name) {
      if (control_.cancel != nullptr) control_.cancel->Check();
      ++report_.records;
      try {
        log.Read(name);
      } catch (const Error& error) {
        report_.problems.push_back(
            {fmt::format("{}; the index is not touched by that, but could not be made again from "
                         "the records: keep a copy of index.db",
                         error.what()),
             {}});
      }
    });
    log.ForEach([&](const RecordFile& name) {
      if (!changes.Names()(name)) log.CheckIsNotLater(name, changes.last_transaction().number);
    });
  }

  void CheckState(const StateRow& row) {
    try {
      const std::string location = repository_.objects().PathOf(row.id).string();
      const auto file = repository_.objects().Open(row.id);
      report_.bytes_read += file->size();
      const StateHeader header = VerifyState(*file, location, repository_.objects().Opener());
      const std::vector<TokenChunk> chunks = repository_.index().states().ChunksOf(row.id);
      if (!SameState(row, RowOf(row.id, header, file->size(), row.created_at_ms)) ||
          chunks != header.description.chunks) {
        Throw(ErrorKind::kCorrupt, "{}: the index says something else of this state than its file",
              location);
      }
      CheckHistory(header.description, location);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled) throw;
      report_.problems.push_back({error.what(), repository_.index().references().NamesOf(row.id)});
    }
  }

  void CheckHistory(const StateDescription& description, const std::string& location) {
    if (!description.tokens_kept) return;
    History history;
    ForEachChunk(repository_.objects(), description.chunks,
                 [&](std::span<const TokenId> tokens) { history.Append(tokens); });
    for (const TokenChunk& chunk : description.chunks) {
      if (sound_chunks_.insert(chunk.id).second)
        report_.bytes_read += repository_.objects().StoredBytes(chunk.id);
    }
    if (history != description.history) {
      Throw(ErrorKind::kCorrupt, "{}: its tokens make history {}, expected {}", location,
            history.chain().ShortHex(), description.history.chain().ShortHex());
    }
  }

  const Repository& repository_;
  const VerifyControl& control_;
  VerifyReport report_;
  std::set<ObjectId> sound_chunks_;
};

/// Removes states and returns the objects that they are and use.
std::set<ObjectId> RemoveStates(Index& index, std::span<const StateRow> states) {
  std::set<ObjectId> objects;
  for (const StateRow& state : states) {
    objects.insert(state.id);
    for (const TokenChunk& chunk : index.states().ChunksOf(state.id)) objects.insert(chunk.id);
    index.states().Remove(state.id);
  }
  return objects;
}

std::vector<StateRow> Thinned(const Index& index, uint64_t bytes) {
  std::vector<StateRow> rows;
  for (const StateId& id : index.checkpoints().ToThin(bytes))
    rows.push_back(index.states().Get(id));
  return rows;
}

/// The records that no row names: what a transaction that never came has left, or a gc that was cut
/// off. The index's write lock is held. Errors: kCorrupt where the index is older than they are.
DeadRecords UnnamedRecords(const Index& index, const ChangeLog& log) {
  DeadRecords unnamed;
  const auto named = index.changes().Names();
  const uint64_t last = index.changes().last_transaction().number;
  log.ForEach([&](const RecordFile& name) {
    if (named(name)) return;
    log.CheckIsNotLater(name, last);
    bool is_removal = true;
    try {
      is_removal = log.Read(name).change.kind == ChangeKind::kRemoved;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCorrupt) throw;
    }
    (is_removal ? unnamed.removals : unnamed.others).push_back(name);
  });
  return unnamed;
}

void RemoveRecords(const ChangeLog& log, const DeadRecords& records) {
  for (const RecordFile& name : records.others) log.Remove(name);
  log.SyncFoldersOf(records.others);
  for (const RecordFile& name : records.removals) log.Remove(name);
  log.SyncFoldersOf(records.removals);
}

int64_t ReleasedSince(const GarbageOptions& options) {
  return options.grace_ms > 0 ? options.now_ms - options.grace_ms : INT64_MAX;
}

/// Removes the states that nothing leads to and the checkpoints beyond the budget, within
/// Index::Write, and returns the objects that they are and use.
std::set<ObjectId> RemoveRows(Index& index, const GarbageOptions& options, GarbageReport* report) {
  const int64_t unfinished_since = options.now_ms - kUnfinishedKeptMs;
  report->states = index.states().Unreachable(unfinished_since, ReleasedSince(options));
  report->waiting =
      index.states().Unreachable(unfinished_since, INT64_MAX).size() - report->states.size();
  std::set<ObjectId> objects = RemoveStates(index, report->states);
  report->thinned = Thinned(index, index.checkpoints().Usage().budget_bytes);
  objects.merge(RemoveStates(index, report->thinned));
  return objects;
}

/// Removes what nothing leads to, in one transaction.
GarbageReport Collect(Repository& repository, const GarbageOptions& options) {
  GarbageReport report;
  std::vector<ObjectId> garbage;
  Index& index = repository.index();
  const ObjectStore& objects = repository.objects();
  const ChangeLog log = repository.records();
  DeadRecords dead;
  const auto collect = [&] {
    report = {};
    garbage.clear();
    const DeadRecords unnamed = UnnamedRecords(index, log);
    RemoveRows(index, options, &report);
    report.derivations = index.lineage().RemoveUnreachable();
    const auto needed = index.states().NeedsObject();
    index.texts().RemoveUnneeded();
    objects.ForEach([&](const ObjectId& id, uint64_t stored_bytes) {
      if (needed(id)) return;
      garbage.push_back(id);
      ++report.objects;
      report.object_bytes += stored_bytes;
    });
    dead = index.changes().RemoveDead();
    report.records =
        unnamed.others.size() + unnamed.removals.size() + dead.others.size() + dead.removals.size();
    if (options.dry_run) return;
    // Before those that are dead from now on: what stays in a gap of the transactions is taken
    // for one that came. While the lock is held, for other records are being written then.
    RemoveRecords(log, unnamed);
    std::vector<std::filesystem::path> cut_off;
    log.ForEachTemporary([&](const auto& file) { cut_off.push_back(file); });
    for (const auto& file : cut_off) log.RemoveTemporary(file);
  };
  if (options.dry_run) {
    index.Rehearse(collect);
    return report;
  }
  WriteFreeingSpace(repository, collect);
  for (const ObjectId& id : garbage) repository.objects().Remove(id);
  RemoveRecords(log, dead);
  return report;
}

/// Removes the objects that no row needs.
void RemoveUnneeded(Repository& repository, GarbageReport* report) {
  const auto needed = repository.index().states().NeedsObject();
  std::vector<ObjectId> garbage;
  repository.objects().ForEach([&](const ObjectId& id, uint64_t stored_bytes) {
    if (needed(id)) return;
    garbage.push_back(id);
    ++report->objects;
    report->object_bytes += stored_bytes;
  });
  for (const ObjectId& id : garbage) repository.objects().Remove(id);
}

/// Makes room where there is none for one transaction: what needs none goes first, then one state
/// after the other with its objects.
GarbageReport CollectInSteps(Repository& repository, const GarbageOptions& options) {
  Index& index = repository.index();
  GarbageReport report;
  RemoveUnneeded(repository, &report);
  std::vector<StateRow> states =
      index.states().Unreachable(options.now_ms - kUnfinishedKeptMs, ReleasedSince(options));
  // A base stays until the last difference to it has gone.
  std::stable_partition(states.begin(), states.end(),
                        [](const StateRow& state) { return state.base.has_value(); });
  for (StateRow& state : states) {
    std::set<ObjectId> garbage = {state.id};
    for (const TokenChunk& chunk : index.states().ChunksOf(state.id)) garbage.insert(chunk.id);
    WriteFreeingSpace(repository, [&] { index.states().Remove(state.id); });
    index.Settle();
    report.states.push_back(std::move(state));
    for (const ObjectId& id : garbage) {
      if (index.states().Needs(id) || !repository.objects().Exists(id)) continue;
      ++report.objects;
      report.object_bytes += repository.objects().StoredBytes(id);
      repository.objects().Remove(id);
    }
  }
  return report;
}

}  // namespace

GarbageForecast ForecastGarbage(Repository& repository, int64_t now_ms) {
  GarbageForecast forecast;
  Index& index = repository.index();
  index.Rehearse([&] {
    GarbageReport report;
    const std::set<ObjectId> objects = RemoveRows(index, {.now_ms = now_ms}, &report);
    for (const auto* states : {&report.states, &report.thinned}) {
      for (const StateRow& state : *states) forecast.states.insert(state.id);
    }
    const auto needed = index.states().NeedsObject();
    for (const ObjectId& id : objects) {
      if (!needed(id) && repository.objects().Exists(id))
        forecast.objects[id] = repository.objects().StoredBytes(id);
    }
  });
  return forecast;
}

GarbageReport CollectGarbage(Repository& repository, const GarbageOptions& options) {
  const Lease lease = repository.GcLease();
  const auto temporaries = repository.objects().Temporaries();
  if (!options.dry_run) {
    for (const auto& file : temporaries) repository.objects().RemoveTemporary(file);
  }
  GarbageReport report, before;
  try {
    report = Collect(repository, options);
  } catch (const DiskFull&) {
    if (options.dry_run) throw;
    before = CollectInSteps(repository, options);
    report = Collect(repository, options);
  }
  report.states.insert(report.states.begin(), before.states.begin(), before.states.end());
  report.objects += before.objects;
  report.object_bytes += before.object_bytes;
  report.temporaries = temporaries.size();
  if (!options.dry_run) KeepReserve(repository.files(), repository.places());
  return report;
}

void ThinCheckpoints(Repository& repository) {
  const CheckpointUsage usage = repository.index().checkpoints().Usage();
  if (usage.stored_bytes <= usage.budget_bytes) return;
  const Lease lease = repository.TryGcLease();
  if (!lease) return;
  Index& index = repository.index();
  std::set<ObjectId> garbage;
  index.Write([&] {
    const std::vector<StateRow> thinned = Thinned(index, usage.budget_bytes / 10 * 9);
    garbage = RemoveStates(index, thinned);
    std::erase_if(garbage, [&](const ObjectId& id) { return index.states().Needs(id); });
  });
  for (const ObjectId& id : garbage) {
    if (repository.objects().Exists(id)) repository.objects().Remove(id);
  }
}

VerifyReport Verify(const Repository& repository, const VerifyControl& control) {
  const Lease lease = repository.ReadLease();
  return Verifier(repository, control).Run();
}

}  // namespace statelib::storage
