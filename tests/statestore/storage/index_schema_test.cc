// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "core/base/file_system.h"
#include "statestore/storage/index_shape.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/storage/index_rows.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

using testing::IsEmpty;

void ExecuteSql(const std::filesystem::path& path, const std::string& sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database);
  sqlite3_close(database);
}

TEST(IndexSchema, OpenOfANewerSchemaIsRefusedWithAdvice) {
  TemporaryDirectory folder;
  const auto path = folder.path() / "index.db";
  Index::Open(path, Database::Mode::kWrite);
  ExecuteSql(path, "PRAGMA user_version = 99");
  for (const auto mode : {Database::Mode::kWrite, Database::Mode::kRead}) {
    ExpectError(ErrorKind::kUnsupported,
                fmt::format("library schema version 99, this statelib knows versions up to {}; use "
                            "a statelib that knows version 99",
                            Migrations().size()),
                [&] { Index::Open(path, mode); });
  }
}

TEST(IndexSchema, AnotherProgramsDatabaseIsLeftAlone) {
  TemporaryDirectory folder;
  const auto path = folder.path() / "index.db";
  ExecuteSql(path, "CREATE TABLE theirs(x)");
  const Bytes before = FileSystem::Real().ReadFile(path, 1 << 20);
  ExpectError(ErrorKind::kInvalidArgument, "an SQLite file of another program",
              [&] { Index::Open(path, Database::Mode::kWrite); });
  EXPECT_EQ(FileSystem::Real().ReadFile(path, 1 << 20), before);
}

TEST(IndexSchema, AnOlderSchemaIsMigratedWithItsRows) {
  TemporaryDirectory folder;
  const auto path = folder.path() / "index.db";
  const char* const kOld[] = {"CREATE TABLE names(name TEXT); INSERT INTO names VALUES('kept');"};
  const char* const kNew[] = {kOld[0], "ALTER TABLE names ADD COLUMN tag TEXT DEFAULT 'latest'",
                              "CREATE INDEX by_tag ON names(tag)"};
  {
    Database database = Database::Open(path, Database::Mode::kWrite);
    Migrate(database, kOld);
    EXPECT_EQ(SchemaVersion(database, kOld), 1u);
    ExpectError(ErrorKind::kUnsupported, "run any statelib command with write access",
                [&] { CheckSchema(database, kNew); });
  }
  Database database = Database::Open(path, Database::Mode::kWrite);
  Migrate(database, kNew);
  EXPECT_EQ(SchemaVersion(database, kNew), 3u);
  Statement statement = database.Prepare("SELECT name, tag FROM names");
  ASSERT_TRUE(statement.Step());
  EXPECT_EQ(statement.Text(0) + ":" + statement.Text(1), "kept:latest");
}

TEST(IndexSchema, ALibraryOfTheFirstVersionIsMigratedAndWorks) {
  TemporaryDirectory folder;
  const auto path = folder.path() / "index.db";
  {
    Database database = Database::Open(path, Database::Mode::kWrite);
    Migrate(database, Migrations().first(1));
    EXPECT_EQ(SchemaVersion(database, Migrations()), 1u);
    Statement model = database.Prepare(
        "INSERT INTO models(fingerprint, name, architecture, summary, size_bytes, added_at, "
        "description) VALUES(?, 'sample', 'mamba', 'small', 1, 1, '{}')");
    model.Bind(RowFor(1).model).Run();
    const Digest id = RowFor(1).id;
    Statement state = database.Prepare(
        "INSERT INTO states(id, model, profile, token_count, history_chain, content, tokens_kept, "
        "raw_bytes, stored_bytes, created_at) VALUES(?, ?, ?, 5, ?, ?, 1, 10, 10, 1)");
    state.Bind(id).Bind(RowFor(1).model).Bind(RowFor(1).profile).Bind(id).Bind(id).Run();
    Statement derivation = database.Prepare(
        "INSERT INTO derivations(state, operation, token_count, created_at) VALUES(?, 1, 5, 1)");
    derivation.Bind(id).Run();
    database.Execute(
        "INSERT INTO sources VALUES(1, 0, 'a.txt', 12, x'" + id.Hex() +
        "', 5, 1);"
        "INSERT INTO refs VALUES(1, 'a', 'latest', 2, 7);"
        "INSERT INTO versions VALUES(1, 1, 1, 1, 6); INSERT INTO versions VALUES(1, 2, 1, 1, 7);");
  }
  Index index = Index::Open(path, Database::Mode::kWrite);
  const StateRow old = *index.states().Find(RowFor(1).id);
  EXPECT_EQ(index.references().Find("a", "latest")->version, 2u);
  EXPECT_EQ(index.lineage().IngestedFrom(12, old.id), std::vector<StateId>{old.id});
  StateRow longer = RowFor(2, 9);
  index.states().Add(longer, {});
  index.states().LinkPrefix(longer.id, old.id);
  index.checkpoints().Mark(old.id, 1);
  EXPECT_EQ(index.checkpoints().List(longer.id).size(), 1u);
  EXPECT_THAT(index.FindDamage(), IsEmpty());
}

TEST(IndexSchema, AMigrationThatFailsChangesNothing) {
  TemporaryDirectory folder;
  Database database = Database::Open(folder.path() / "index.db", Database::Mode::kWrite);
  const char* const kOld[] = {"CREATE TABLE names(name TEXT)"};
  const char* const kBroken[] = {kOld[0], "CREATE TABLE more(x)", "CREATE TABLE more(x)"};
  Migrate(database, kOld);
  EXPECT_THROW(Migrate(database, kBroken), Error);
  EXPECT_EQ(SchemaVersion(database, kBroken), 1u);
  EXPECT_NO_THROW(database.Execute("CREATE TABLE more(x)"));
}

TEST(IndexSchema, WhateverTheMigrationsMakeIsMissed) {
  TemporaryDirectory folder;
  const auto path = folder.path() / "index.db";
  std::vector<std::pair<std::string, std::string>> parts;
  {
    Database database = Database::Open(path, Database::Mode::kWrite);
    Migrate(database);
    EXPECT_NO_THROW(CheckShape(database));
    EXPECT_EQ(HashOfShape(database).Hex(), kShapeHash);  // a change of the schema changes it
    Statement statement = database.Prepare(
        "SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND "
        "name "
        "NOT LIKE 'passages\\_fts\\_%' ESCAPE '\\'");  // which go with passages_fts
    while (statement.Step()) parts.emplace_back(statement.Text(0), statement.Text(1));
  }
  EXPECT_GT(parts.size(), 30u);
  for (const auto& [type, name] : parts) {
    const auto copy = folder.path() / (name + ".db");
    std::filesystem::copy_file(path, copy);
    ExecuteSql(copy, "PRAGMA foreign_keys = OFF; DROP " + type + " " + name);
    ExpectError(ErrorKind::kCorrupt, "statelib repair",
                [&] { Index::Open(copy, Database::Mode::kWrite); });
  }
}

TEST(IndexSchema, ADamagedIndexGivesOneLineThatSaysWhatToDo) {
  TemporaryDirectory folder;
  const auto path = folder.Write("index.db", std::string(4096, 'x'));
  ExpectError(ErrorKind::kCorrupt, path.string() + ": the index is damaged",
              [&] { Index::Open(path, Database::Mode::kWrite); });
  ExpectError(ErrorKind::kCorrupt, "objects/ is untouched: `statelib repair` builds",
              [&] { Index::Open(path, Database::Mode::kRead); });
}

}  // namespace
}  // namespace statelib::storage
