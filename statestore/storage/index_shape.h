// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_INDEX_SHAPE_H_
#define STATELIB_STATESTORE_STORAGE_INDEX_SHAPE_H_

#include <string_view>

#include "core/base/digest.h"
#include "statestore/storage/sqlite_database.h"

namespace statelib::storage {

/// What HashOfShape says of an index that the migrations made, so that an opening need not make one
/// to compare with. A test knows when it has to change.
inline constexpr std::string_view kShapeHash =
    "72748dd2f72320198adb586a6380c4208ab85b6a285d82bd2e0113009d33bb40";

/// A hash over the tables, indexes and triggers that a file has, and the statements that made them.
Digest HashOfShape(const Database& database);

/// Checks that an index of the newest schema has the tables, columns, indexes and triggers that the
/// migrations make, and nothing else: a table that is missing is damage, and a view or a trigger of
/// somebody else would run with every statement. Errors: kCorrupt with the first that differs.
void CheckShape(const Database& database);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_INDEX_SHAPE_H_
