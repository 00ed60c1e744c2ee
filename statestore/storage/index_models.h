// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_INDEX_MODELS_H_
#define STATELIB_STATESTORE_STORAGE_INDEX_MODELS_H_

#include <optional>
#include <string>
#include <vector>

#include "statestore/storage/records.h"
#include "statestore/storage/sqlite_database.h"

namespace statelib::storage {

/// A model that the library knows: one that was added, or one that some state needs.
struct ModelRow {
  ModelIdentity identity;
  std::string name;         ///< empty: it came with a state and nobody has named it
  std::string path;         ///< its folder; empty: not on this machine as far as is known
  uint64_t size_bytes = 0;  ///< of its files
  int64_t added_at_ms = 0;
  std::string description_json = "{}";
  std::string tokenizer_path;  ///< a tokenizer.json that it is to use; empty: its own
  std::string weights;         ///< the format that it is held in unless another one is asked for
};

/// What opening a model tells of all states that it makes.
struct OpenedModel {
  Digest fingerprint;
  bool has_blocks = false;  ///< its files hold tensors of block types
};

/// The models of an index. One thread. Errors: those of Database.
class IndexModels {
 public:
  explicit IndexModels(Database& database) : database_(database) {}

  /// Adds a model or replaces what is known about the one of this fingerprint. Errors:
  /// kInvalidArgument when another model has the name.
  void Put(const ModelRow& model);
  /// Adds a model unless its fingerprint is known.
  void Learn(const ModelIdentity& identity, const std::string& name, int64_t now_ms);
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

  /// What was found at `path` if `stamp`, which describes the files there as they are now, is the
  /// one that it was remembered with.
  std::optional<OpenedModel> RememberedAt(const std::string& path, const Digest& stamp) const;
  /// The same of a model that was opened anywhere.
  std::optional<OpenedModel> Remembered(const Digest& fingerprint) const;
  void Remember(const std::string& path, const Digest& stamp, const OpenedModel& model);

 private:
  Database& database_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_INDEX_MODELS_H_
