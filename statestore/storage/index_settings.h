// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_INDEX_SETTINGS_H_
#define STATELIB_STATESTORE_STORAGE_INDEX_SETTINGS_H_

#include "statestore/storage/sqlite_database.h"

namespace statelib::storage {

/// Gives a setting of the index a value, which Statement::Bind takes. Errors: those of Database.
template <typename Value>
void SetSetting(Database& database, const char* key, const Value& value) {
  Statement statement = database.Prepare(
      "INSERT INTO settings(key, value) VALUES(?, ?) "
      "ON CONFLICT(key) DO UPDATE SET value = excluded.value");
  statement.Bind(key).Bind(value);
  statement.Run();
}

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_INDEX_SETTINGS_H_
