// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/sqlite_database.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "tests/statestore/expect_error.h"

namespace statelib::storage {
namespace {

TEST(Database, WhatAStatementAsksForMoreMemoryThanAllMayTakeIsRefused) {
  const Database database = Database::Open(":memory:", Database::Mode::kWrite);
  EXPECT_GT(sqlite3_hard_heap_limit64(-1), 0) << "set when one is opened";
  const int64_t before = sqlite3_hard_heap_limit64(int64_t{16} << 20);
  ExpectError(ErrorKind::kIo, "MiB of memory would be needed", [&] {
    Statement statement = database.Prepare("SELECT hex(zeroblob(50000000))");
    statement.Step();
  });
  // Zero first: a limit is not raised otherwise.
  sqlite3_hard_heap_limit64(0);
  sqlite3_hard_heap_limit64(before);
  Statement statement = database.Prepare("SELECT length(hex(zeroblob(50000000)))");
  statement.Step();
  EXPECT_EQ(statement.Int(0), 100'000'000);
}

}  // namespace
}  // namespace statelib::storage
