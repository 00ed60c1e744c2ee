// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_INDEX_SCHEMA_H_
#define STATELIB_STATESTORE_STORAGE_INDEX_SCHEMA_H_

#include <span>
#include <string_view>

#include "statestore/storage/sqlite_database.h"

namespace statelib::storage {

/// kMigrations[i] takes an index of schema version i to version i + 1. A released one is never
/// changed; a change of the schema is one more.
std::span<const char* const> Migrations();

/// The schema version of an index; 0 for a new, empty file. Errors: kUnsupported when it is newer
/// than `migrations` know; kInvalidArgument when it is an SQLite file of something else; those of
/// Database.
size_t SchemaVersion(const Database& database, std::span<const char* const> migrations);

/// Brings an index to the newest schema, all in one transaction. Errors: as SchemaVersion.
void Migrate(Database& database, std::span<const char* const> migrations = Migrations());

/// Checks that a database that will only be read is an index of a schema that this build reads.
/// Errors: as SchemaVersion, and kUnsupported for an older schema, which only a writer can migrate.
void CheckSchema(const Database& database, std::span<const char* const> migrations = Migrations());

/// Whether a file holds nothing at all: no table, nothing of anybody's.
bool IsBlank(const Database& database);
bool HasTable(const Database& database, std::string_view name);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_INDEX_SCHEMA_H_
