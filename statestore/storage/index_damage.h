// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_INDEX_DAMAGE_H_
#define STATELIB_STATESTORE_STORAGE_INDEX_DAMAGE_H_

#include <string>
#include <vector>

#include "statestore/storage/sqlite_database.h"

// What can be found wrong with an index without a look at an object. Each finding is a line that
// begins with "index.db: "; at most 20 of a kind are told.
namespace statelib::storage {

/// What SQLite finds: pages, indexes, constraints, rows that refer to rows which are not there.
void FindFileDamage(const Database& database, std::vector<std::string>* lines);

/// What is sound for SQLite and makes no sense: values of another type, negative counts, names that
/// cannot be names, versions that point elsewhere or to nothing, states that are their own bases or
/// ancestors, words to search in that are not those of the passages.
void FindRowDamage(const Database& database, std::vector<std::string>* lines);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_INDEX_DAMAGE_H_
