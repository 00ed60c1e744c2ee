// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/repair.h"

#include <utility>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "statestore/storage/index_rebuild.h"
#include "statestore/storage/library_files.h"
#include "statestore/storage/library_folder.h"
#include "statestore/storage/repository.h"

namespace statelib::storage {

namespace {

using Path = std::filesystem::path;

constexpr std::chrono::milliseconds kPatience{3'000};
constexpr const char* kSqliteEnds[] = {"-wal", "-shm",
                                       "-journal"};  // of the files beside a database

Path With(const Path& path, const char* end) { return path.string() + end; }

class Repairer {
 public:
  Repairer(const Path& library, FileSystem& files, const RepairOptions& options)
      : places_(library),
        files_(files, library),
        options_(options),
        log_(files_, places_.records),
        objects_(files_, places_.objects, places_.temporaries) {}

  RepairReport Run() {
    for (const Path& folder : {places_.locks, places_.temporaries})
      files_.CreateDirectories(folder);
    const FileLock lock = Lock();
    std::optional<LibraryFile> file;
    try {
      file = ReadLibraryFile(files_, places_);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCorrupt) throw;  // of a newer statelib
    }
    const auto owner = IdentityOfIndex();
    std::optional<LibraryIdentity> known = file ? std::optional(file->identity) : owner;
    const RecordedChanges changes = ReadRecords(log_, known);
    const LibraryIdentity identity = changes.library ? *changes.library
                                     : known         ? *known
                                                     : RandomIdentity();
    if (!file || file->identity != identity) {
      if (report_.damage.empty())
        report_.damage = "library.toml is missing, damaged or of another library";
      files_.CreateDirectories(places_.folder);
      WriteLibraryFile(identity);
    }
    const std::string damage = DamageOfIndex(changes);
    if (damage.empty() && !options_.rebuild) return std::move(report_);
    report_.damage = !damage.empty() ? damage : "nothing; the index was to be made again";
    Rebuild(identity, changes);
    return std::move(report_);
  }

 private:
  FileLock Lock() const {
    try {
      Waits waits;
      waits.timeout = kPatience;
      return FileLock::Acquire(places_.index_lock, FileLock::Mode::kExclusive, waits);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBusy) throw;
      Throw(ErrorKind::kBusy,
            "{}: somebody has this library open; end what uses it, `statelib serve` too, and run "
            "the command again",
            places_.folder.string());
    }
  }

  void WriteLibraryFile(const LibraryIdentity& identity) {
    for (const Path& name : files_.List(places_.folder)) {
      // Of a writing that was cut off: nobody else is at it now.
      if (name.string().starts_with("library.toml.")) files_.Remove(places_.folder / name);
    }
    WriteFileAtomically(files_, places_.file, AsBytes(TextOf({identity})));
    report_.wrote_library_file = true;
  }

  /// Whose the index says that it is, if it says anything.
  std::optional<LibraryIdentity> IdentityOfIndex() const {
    try {
      if (!files_.Exists(places_.index) || files_.FileSize(places_.index) == 0) return std::nullopt;
      return Index::IdentityIn(places_.index);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kUnsupported) throw;
      return std::nullopt;
    }
  }

  /// What is wrong with the index; empty: nothing. It is looked at without being changed.
  std::string DamageOfIndex(const RecordedChanges& changes) const {
    if (files_.Exists(places_.unfinished_repair)) return "a repair had been cut off";
    if (!files_.Exists(places_.index)) return "there was no index.db";
    if (files_.FileSize(places_.index) == 0) return "index.db was empty";
    try {
      // Nobody writes now: without a log the file is whole, and SQLite need make none beside it.
      const Path log = With(places_.index, "-wal");
      const bool has_log = files_.Exists(log) && files_.FileSize(log) > 0;
      const auto found =
          FindIndexOf(files_, places_, has_log ? Database::Mode::kRead : Database::Mode::kFrozen);
      if (!found) return "index.db held nothing";
      const std::vector<std::string> lines = found->second.FindDamage();
      if (!lines.empty()) return lines.front();
      const uint64_t last = found->second.changes().last_transaction().number;
      const uint64_t recorded =
          changes.entries.empty() ? 0 : changes.entries.back().record.transaction.number;
      if (recorded > last + 1)
        return fmt::format("index.db knew {} transactions, the records {}", last, recorded);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kUnsupported || error.kind() == ErrorKind::kIo) throw;
      return error.what();
    }
    return "";
  }

  void Rebuild(const LibraryIdentity& identity, const RecordedChanges& changes) {
    const StateSurvey survey = SurveyStates(objects_, options_.control);
    const Path fresh = places_.temporaries / "index.db.new";
    RemoveAll(fresh);
    {
      Index index = Index::Open(fresh, Database::Mode::kWrite, identity);
      FillIndex(index, changes, survey, options_.now_ms, &report_);
      const auto needs = index.states().NeedsObject();
      objects_.ForEach([&](const ObjectId& id, uint64_t) {
        if (!needs(id)) ++report_.unneeded_objects;
      });
    }
    if (files_.Exists(With(fresh, "-wal")))
      Throw(ErrorKind::kIo, "{}: could not be finished; run the command again", fresh.string());
    Replace(fresh);
    report_.rebuilt = true;
    report_.lost.insert(report_.lost.begin(), changes.lost.begin(), changes.lost.end());
  }

  void RemoveAll(const Path& database) {
    if (files_.Exists(database)) files_.Remove(database);
    for (const char* end : kSqliteEnds) {
      if (files_.Exists(With(database, end))) files_.Remove(With(database, end));
    }
  }

  /// Puts the new index in the place of the old one, which keeps a name of its own. At every
  /// instant index.db is the old one with its log, or the new one, or the library is refused: that
  /// it is while the log moves, for without it the old index could look sound, and the new one must
  /// not get it. Where there are no hard links, index.db is missing for a moment, and that is
  /// refused too.
  void Replace(const Path& fresh) {
    const bool had_index = files_.Exists(places_.index);
    const Path kept = NameForOld();
    const bool is_named = !had_index || NameOld(kept);
    if (!is_named || HasLog()) RefuseReaders();
    if (!is_named) files_.Rename(places_.index, kept);
    MoveLog(kept);
    files_.SyncDirectory(places_.folder);
    files_.Rename(fresh, places_.index);
    files_.SyncDirectory(places_.folder);
    if (had_index) report_.damaged_index = kept;
    if (!files_.Exists(places_.unfinished_repair)) return;
    files_.Remove(places_.unfinished_repair);
    files_.SyncDirectory(places_.folder);
  }

  /// One that nothing has, or that the index got from a repair that was cut off.
  Path NameForOld() const {
    for (int n = 1;; ++n) {
      const Path name = With(places_.index, fmt::format(".damaged-{}", n).c_str());
      std::error_code none;
      if (std::filesystem::equivalent(places_.index, name, none)) return name;
      bool taken = files_.Exists(name);
      for (const char* end : kSqliteEnds) taken = taken || files_.Exists(With(name, end));
      if (!taken) return name;
    }
  }

  /// Whether the old index has this name now beside its own.
  bool NameOld(const Path& name) {
    if (files_.Exists(name)) return true;
    try {
      return files_.Link(places_.index, name);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUnsupported) throw;
      return false;
    }
  }

  bool HasLog() const {
    return files_.Exists(With(places_.index, "-wal")) ||
           files_.Exists(With(places_.index, "-journal"));
  }

  void RefuseReaders() {
    if (!files_.Exists(places_.unfinished_repair)) {
      const auto file = files_.Create(places_.unfinished_repair);
      file->Sync();
      file->Close();
    }
    files_.SyncDirectory(places_.folder);
  }

  void MoveLog(const Path& kept) {
    for (const char* end : kSqliteEnds) {
      const Path beside = With(places_.index, end);
      if (!files_.Exists(beside)) continue;
      if (std::string_view(end) == "-shm")
        files_.Remove(beside);  // says nothing that the log does not
      else
        files_.Rename(beside, With(kept, end));
    }
  }

  LibraryPlaces places_;
  mutable LibraryFiles files_;  // what is made again has the library's permissions
  const RepairOptions& options_;
  ChangeLog log_;
  ObjectStore objects_;
  RepairReport report_;
};

}  // namespace

RepairReport RepairIndex(const Path& library, FileSystem& files, const RepairOptions& options) {
  if (!Repository::IsAt(library, files)) {
    Throw(ErrorKind::kNotFound, "{}: there is no library, nor anything of one", library.string());
  }
  return Repairer(library, files, options).Run();
}

}  // namespace statelib::storage
