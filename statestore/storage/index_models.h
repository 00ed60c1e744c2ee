// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_INDEX_MODELS_H_
#define STATELIB_STATESTORE_STORAGE_INDEX_MODELS_H_

#include <optional>
#include <string>
#include <vector>

#include "statestore/storage/pending_changes.h"
#include "statestore/storage/records.h"
#include "statestore/storage/sqlite_database.h"

namespace statelib::storage {

/// What opening a model tells of all states that it makes.
struct OpenedModel {
  Digest fingerprint;
  bool has_blocks = false;  ///< its files hold tensors of block types
  uint64_t operations = 0;  ///< bit i: it needs the backend's operation of number i
};

/// The models of an index. One thread. Errors: those of Database.
class IndexModels {
 public:
  IndexModels(Database& database, PendingChanges& pending)
      : database_(database), pending_(pending) {}

  /// Adds a model or replaces what is known about the one of this fingerprint. Errors:
  /// kInvalidArgument when another model has the name.
  void Put(const ModelRow& model);
  /// Adds a model unless its fingerprint is known; returns what it is called here. A name that
  /// another model has, or that `name_is_free` says is not to be had, becomes NAME-DIGITS, the
  /// first of its fingerprint.
  std::string Learn(const ModelIdentity& identity, const std::string& name, int64_t now_ms,
                    bool name_is_free = true);
  std::optional<ModelRow> Find(const Digest& fingerprint) const;
  /// One that another row says is there. Errors: kCorrupt when it is not.
  ModelRow Get(const Digest& fingerprint) const;
  std::optional<ModelRow> FindByName(const std::string& name) const;
  std::vector<ModelRow> All() const;  ///< by name
  /// Removes a model that no state needs, and only the place of one that some state needs.
  /// Returns whether it is gone altogether.
  bool Remove(const Digest& fingerprint);
  uint64_t StatesOf(const Digest& fingerprint) const;

  std::optional<Digest> Default() const;
  void SetDefault(const std::optional<Digest>& fingerprint);
  static constexpr const char* kDefaultSetting = "default_model";

  /// What was found at `path` if `stamp`, which describes the files there as they are now, is the
  /// one that it was remembered with.
  std::optional<OpenedModel> RememberedAt(const std::string& path, const Digest& stamp) const;
  /// The same of a model that was opened anywhere.
  std::optional<OpenedModel> Remembered(const Digest& fingerprint) const;
  void Remember(const std::string& path, const Digest& stamp, const OpenedModel& model);

 private:
  Database& database_;
  PendingChanges& pending_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_INDEX_MODELS_H_
