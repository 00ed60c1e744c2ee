// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_INDEX_STATES_H_
#define STATELIB_STATESTORE_STORAGE_INDEX_STATES_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "statestore/storage/records.h"
#include "statestore/storage/sqlite_database.h"

namespace statelib::storage {

/// A state that the library holds.
struct StateRow {
  StateId id;
  Digest model;  ///< fingerprint
  std::string profile;
  History history;
  Digest content;
  bool tokens_kept = false;
  uint64_t raw_bytes = 0;
  uint64_t stored_bytes = 0;  ///< of the state's own object
  int64_t created_at_ms = 0;
  std::optional<StateId> base = {};  ///< the state that its object is a difference to
};

/// That a state was computed again with the same bytes as a result.
struct ProofRow {
  std::string profile;       ///< numerics profile under which
  uint64_t from_tokens = 0;  ///< read by the trusted state that was gone on from; 0: from nothing
  int64_t proved_at_ms = 0;
};

/// What a state's header says, as a row. `stored_bytes` is the size of its file.
StateRow RowOf(const StateId& id, const StateHeader& header, uint64_t stored_bytes,
               int64_t created_at_ms);

/// The states of an index and the tokens objects that they use. One thread. Errors: those of
/// Database.
class IndexStates {
 public:
  explicit IndexStates(Database& database) : database_(database) {}

  /// Adds a state whose objects are durable; one that is there already stays as it is. Its model
  /// is known already, and its base is there when the transaction commits.
  void Add(const StateRow& state, const std::vector<TokenChunk>& chunks);
  std::optional<StateRow> Find(const StateId& id) const;
  /// One that another row says is there. Errors: kCorrupt when it is not.
  StateRow Get(const StateId& id) const;
  /// A state with the same model, profile, history and content, which may be another object
  /// (another zstd version, tokens kept or not): what re-deriving or importing the same thing again
  /// gives.
  std::optional<StateRow> FindEqual(const StateRow& like) const;
  /// The states of one history under one model and profile, newest first.
  std::vector<StateRow> FindByHistory(const Digest& model, const std::string& profile,
                                      const History& history) const;
  /// Any state of a model whose profile has this base.
  std::optional<StateRow> FindOfModel(const Digest& model, const std::string& base_profile) const;
  /// The first `limit` states whose id begins with these hexadecimal digits.
  std::vector<StateRow> FindByPrefix(std::string_view hex, size_t limit) const;
  /// The numbers of tokens that states of a model and profile have read, longest first: each once,
  /// from `longest` down to above `shortest`.
  std::vector<uint64_t> Lengths(const Digest& model, const std::string& profile, uint64_t longest,
                                uint64_t shortest) const;
  /// Records that a state was computed from a shorter one of the library, unless it is known to
  /// have been computed from a longer one. Of a `prefix` that is the same state stored otherwise
  /// its own prefix is taken. Nothing happens when either is not there.
  void LinkPrefix(const StateId& state, const StateId& prefix);
  /// The longest state that a new one can be a difference to: among `prefix` and those that it was
  /// computed from, shorter than the new one, of the same model and profile, no difference itself,
  /// and keeping its tokens only where the new one does.
  std::optional<StateRow> FindBase(const StateId& prefix, const StateDescription& state) const;
  std::vector<TokenChunk> ChunksOf(const StateId& id) const;
  /// Calls back for every state, in order of ids.
  void ForEach(const std::function<void(const StateRow&)>& visit) const;
  /// Whether some state is, or uses, this object.
  bool Needs(const ObjectId& object) const { return NeedsObject()(object); }
  /// The same as a function for many looks. It must not outlive this object.
  std::function<bool(const ObjectId&)> NeedsObject() const;
  uint64_t count() const;

  /// Records that a state was computed again from a trusted one, which had read `from_tokens`
  /// tokens (0: none at all), under a numerics profile, with the same bytes as a result.
  void Prove(const StateId& state, const std::string& profile, uint64_t from_tokens,
             int64_t now_ms);
  void Disprove(const StateId& state);  ///< forgets the proofs of a state
  std::vector<ProofRow> ProofsOf(const StateId& state) const;

  /// States that no version of any reference names, but for checkpoints that a named state was
  /// computed from, unfinished ones made after `unfinished_since_ms`, states made or left by their
  /// last name after `released_since_ms`, and bases of states that stay.
  std::vector<StateRow> Unreachable(int64_t unfinished_since_ms, int64_t released_since_ms) const;
  /// Removes a state that no version names. What was computed from it is linked to its own prefix.
  void Remove(const StateId& state);

 private:
  Database& database_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_INDEX_STATES_H_
