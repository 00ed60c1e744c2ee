// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_INDEX_SHAPE_H_
#define STATELIB_STATESTORE_STORAGE_INDEX_SHAPE_H_

#include "statestore/storage/sqlite_database.h"

namespace statelib::storage {

/// Checks that an index of the newest schema has the tables, columns, indexes and triggers that the
/// migrations make, and nothing else: a table that is missing is damage, and a view or a trigger of
/// somebody else would run with every statement. Errors: kCorrupt with the first that differs.
void CheckShape(const Database& database);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_INDEX_SHAPE_H_
