// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_CHANGE_H_
#define STATELIB_STATESTORE_STORAGE_CHANGE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "statestore/storage/library_file.h"
#include "statestore/storage/records.h"

// What an index is told beside what its objects say, change by change: enough to make it again from
// objects and changes alone. A change is written to records/ as a file of its own (change_log.h).
namespace statelib::storage {

/// What changes. The numbers are written to disk: never reuse one.
enum class ChangeKind : uint8_t {
  kVersion = 1,      ///< a name got a new version, which is its current one
  kReturn = 2,       ///< a name went to a version that it has
  kRenamedTo = 3,    ///< a name became another one …
  kRenamedFrom = 4,  ///< … which says the same from its side
  kRemoved = 5,      ///< a name was removed with all its versions
  kModel = 6,        ///< what is known of a model
  kModelRemoved = 7,
  kSetting = 8,
  kHad = 9,         ///< what a name has had, beside its versions, grew
  kForgotten = 10,  ///< a name lost older versions, and goes on without them
};

constexpr bool IsOfName(ChangeKind kind) {
  return (kind >= ChangeKind::kVersion && kind <= ChangeKind::kRemoved) ||
         kind == ChangeKind::kForgotten;
}

/// A state that a name has had. The two ids differ where an equal state that is stored otherwise
/// stands for it here, or where it travels without its tokens.
struct HadState {
  StateId there;  ///< as it is called elsewhere
  StateId here;

  bool operator==(const HadState&) const = default;
};

/// A derivation and its key in the index, which `parent` of others means.
struct KeyedDerivation {
  int64_t key = 0;
  Derivation derivation;

  bool operator==(const KeyedDerivation&) const = default;
};

/// One change. Which members count follows from the kind.
struct Change {
  ChangeKind kind = ChangeKind::kVersion;
  int64_t made_at_ms = 0;

  // Of a name. A line (not of kHad) is what a name stands for from its first version to its
  // removal, under whatever names; its changes are its steps, from 1, each at one name.
  std::string name{};
  std::string tag{};
  int64_t line = 0;
  uint64_t step = 0;       ///< kRenamedTo and kRenamedFrom are one
  uint64_t version = 0;    ///< kVersion, kReturn
  bool undoes = false;     ///< kReturn
  StateId state{};         ///< kVersion
  int64_t derivation = 0;  ///< kVersion: key
  int64_t state_created_at_ms = 0;
  /// kVersion: all that were added with it, parents first, its own among them.
  std::vector<KeyedDerivation> derivations{};
  std::string other_name{};  ///< kRenamedTo, kRenamedFrom
  std::string other_tag{};
  std::vector<uint64_t> forgotten{};  ///< kForgotten: the versions' numbers, ascending

  std::vector<HadState> had{};  ///< kHad: all that no version of the name says

  ModelRow model{};       ///< kModel; of kModelRemoved the fingerprint alone
  std::string setting{};  ///< its key
  std::string value{};    ///< kSetting; empty: none

  bool operator==(const Change&) const = default;
};

/// What changes together: all of it or nothing. Transactions that change something are counted from
/// 1; each has an id of its own and names that of the one before it.
struct TransactionMark {
  uint64_t number = 0;
  Digest id{};
  std::optional<Digest> before{};

  bool operator==(const TransactionMark&) const = default;
};

/// A change as it is written down.
struct ChangeRecord {
  LibraryIdentity library{};
  uint64_t number = 0;             ///< of the changes of its key, from 1
  std::optional<Digest> before{};  ///< hash of the record before it
  TransactionMark transaction{};
  uint32_t place = 0;  ///< in the transaction, from 0
  uint32_t count = 0;  ///< of the transaction's records
  Change change{};

  bool operator==(const ChangeRecord&) const = default;
};

/// What the numbers of changes count: a name with its tag, what one has had, a model, a setting.
Digest KeyOf(const Change& change);

std::string SerializeRecord(const ChangeRecord& record);
/// Errors: kCorrupt, kUnsupported, as those of message_codec.h.
ChangeRecord ParseRecord(ByteSpan bytes, const std::string& location);

/// The file of a record, and its name in records/, which has the key, the number and the hash of
/// its bytes.
struct RecordFile {
  Digest key;
  uint64_t number = 0;
  Digest hash;
  Bytes bytes{};
};
RecordFile EncodeRecord(const ChangeRecord& record);
/// Reads a record's file. Errors: kCorrupt also when it is not of that key, number and hash.
ChangeRecord DecodeRecord(const RecordFile& file, const std::string& location);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_CHANGE_H_
