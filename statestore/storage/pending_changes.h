// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_PENDING_CHANGES_H_
#define STATELIB_STATESTORE_STORAGE_PENDING_CHANGES_H_

#include <utility>
#include <vector>

#include "statestore/storage/change.h"

namespace statelib::storage {

/// The changes of the transaction that is going on, in order; the parts of an index add theirs. One
/// thread.
class PendingChanges {
 public:
  void Add(Change change) {
    // Each says all that its name has had.
    std::erase_if(changes_, [&](const Change& before) {
      return change.kind == ChangeKind::kHad && before.kind == ChangeKind::kHad &&
             before.name == change.name && before.tag == change.tag;
    });
    changes_.push_back(std::move(change));
  }
  /// A derivation that belongs to the next version that a name gets.
  void AddDerivation(KeyedDerivation derivation) { derivations_.push_back(std::move(derivation)); }
  std::vector<KeyedDerivation> TakeDerivations() { return std::exchange(derivations_, {}); }
  std::vector<Change> Take() {
    derivations_.clear();
    return std::exchange(changes_, {});
  }

 private:
  std::vector<Change> changes_;
  std::vector<KeyedDerivation> derivations_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_PENDING_CHANGES_H_
