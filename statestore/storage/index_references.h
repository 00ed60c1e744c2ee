// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_INDEX_REFERENCES_H_
#define STATELIB_STATESTORE_STORAGE_INDEX_REFERENCES_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "statestore/storage/index_changes.h"
#include "statestore/storage/index_lineage.h"
#include "statestore/storage/index_states.h"
#include "statestore/storage/pending_changes.h"
#include "statestore/storage/records.h"
#include "statestore/storage/reference.h"
#include "statestore/storage/sqlite_database.h"

namespace statelib::storage {

/// A reference and the state that it names now.
struct ReferenceRow {
  std::string name;
  std::string tag;
  uint64_t version = 0;  ///< the current one
  int64_t moved_at_ms = 0;
  StateRow state;
  std::string model_name;  ///< empty when nobody has named it
};

/// What a reference has named, once or still.
struct VersionRow {
  uint64_t number = 0;  ///< from 1
  StateId state;
  int64_t derivation = 0;  ///< key: how this version came to be
  int64_t created_at_ms = 0;
  bool current = false;
};

struct ReferenceQuery {
  enum class Sort { kName, kTime, kTokens, kSize };

  std::string name_pattern{};  ///< with * ? [a-z]; empty: every name
  /// Whole numbers from lowest to highest, both included.
  struct Range {
    int64_t lowest = INT64_MIN;
    int64_t highest = INT64_MAX;
    bool operator==(const Range&) const = default;
  };

  std::optional<std::string> tag{};  ///< with wildcards too
  std::optional<Digest> model{};
  std::string source_pattern{};  ///< of a document that the state or one before it has read
  Range moved_at_ms{};
  Range stored_bytes{};
  Range token_count{};
  /// Only what comes after this name and tag in the order of kName.
  std::optional<std::pair<std::string, std::string>> after{};
  Sort sort = Sort::kName;
  bool descending = false;
  uint64_t limit = UINT64_MAX;
  uint64_t offset = 0;
};

/// The names of an index and their versions. Names and tags have been checked (reference.h). One
/// thread. Errors: those of Database.
class IndexReferences {
 public:
  /// The lineage and the changes are those of the same index.
  IndexReferences(Database& database, PendingChanges& pending, IndexLineage& lineage,
                  IndexChanges& changes)
      : database_(database), pending_(pending), lineage_(lineage), changes_(changes) {}

  /// Makes a state the newest and current version of a reference, which is made if there is none,
  /// and returns the version's number. The states that it named before stay as older versions.
  uint64_t Move(const std::string& name, const std::string& tag, const StateId& state,
                int64_t derivation, int64_t now_ms);
  /// Makes an older or newer version the current one again. Errors: kNotFound.
  void Return(const std::string& name, const std::string& tag, uint64_t number, bool undoes,
              int64_t now_ms);
  /// The version that a reference named at a moment; empty when it was not there.
  std::optional<uint64_t> VersionAt(const std::string& name, const std::string& tag,
                                    int64_t moment_ms) const;
  /// The version that the last move which has not been undone came from; empty when there is none.
  std::optional<uint64_t> VersionBefore(const std::string& name, const std::string& tag) const;
  std::optional<ReferenceRow> Find(const std::string& name, const std::string& tag) const;
  /// One version, the current one if `number` is empty.
  std::optional<VersionRow> FindVersion(const std::string& name, const std::string& tag,
                                        std::optional<uint64_t> number) const;
  std::vector<VersionRow> Versions(const std::string& name, const std::string& tag) const;
  std::vector<ReferenceRow> List(const ReferenceQuery& query) const;
  /// The references and versions that name a state: "name:tag@number" each.
  std::vector<std::string> NamesOf(const StateId& state) const;
  /// The version that came to be by a derivation; empty when it has gone with its name.
  std::optional<Reference> VersionBy(int64_t derivation) const;
  /// Calls back for every distinct name, in order.
  void ForEachName(const std::function<void(const std::string&)>& visit) const;

  /// Records that a name has had a state. Move does that for every version.
  void NoteHad(const std::string& name, const std::string& tag, const HadState& state);
  /// Every state that a name has had, by `there`: also those of versions that are gone and of names
  /// that were removed or renamed since, and those that came from elsewhere.
  std::vector<HadState> HadBy(const std::string& name, const std::string& tag) const;

  /// Gives a reference another name, its versions with it. What the old name has had the new one
  /// has had too. Errors: kNotFound; kInvalidArgument when the new name exists.
  void Rename(const std::string& name, const std::string& tag, const std::string& new_name,
              const std::string& new_tag, int64_t now_ms);
  /// Removes a reference with all its versions; their states say from now on when that was.
  /// Errors: kNotFound.
  void Remove(const std::string& name, const std::string& tag, int64_t now_ms);

  /// Takes versions from a reference, which keeps its other ones and their numbers; their states
  /// say from now on when that was. What it stood for while it stood for one of them is what it
  /// stood for before; what was undone is gone, so that only steps between versions that are left
  /// can be undone. Errors: kNotFound; kInvalidArgument for the current version.
  void Forget(const std::string& name, const std::string& tag, std::vector<uint64_t> numbers,
              int64_t now_ms);

  /// Does again what a change of a line says that was not removed; the changes before it were done
  /// again. Of a version that is `forgotten` by a later change nothing needs to be there. False
  /// where that is not possible: another line has the name, or what it goes to is not there.
  bool Restore(const Change& change, bool forgotten = false);
  /// Does again what a change says that a name has had.
  void RestoreHad(const Change& change);

 private:
  std::optional<int64_t> KeyOf(const std::string& name, const std::string& tag) const;
  std::optional<int64_t> KeyOfLine(int64_t line) const;
  int64_t Make(const std::string& name, const std::string& tag, int64_t line, int64_t now_ms);
  void AddVersion(int64_t key, const Change& change);
  void MakeCurrent(int64_t key, uint64_t number, bool undoes, int64_t now_ms);
  void TakeVersions(int64_t key, const std::vector<uint64_t>& numbers, int64_t now_ms);
  void TakeMoves(int64_t key);
  void SetName(int64_t key, const std::string& name, const std::string& tag);
  bool RestoreName(const Change& change);
  bool AddHad(const std::string& name, const std::string& tag, const HadState& state);
  void RecordHad(const std::string& name, const std::string& tag);
  /// The beginning of the next change of a reference.
  Change NextStep(ChangeKind kind, int64_t key, int64_t now_ms);

  Database& database_;
  PendingChanges& pending_;
  IndexLineage& lineage_;
  IndexChanges& changes_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_INDEX_REFERENCES_H_
