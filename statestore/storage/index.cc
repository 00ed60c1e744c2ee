// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index.h"

#include <chrono>
#include <thread>

#include "core/base/error.h"
#include "statestore/storage/index_schema.h"

namespace statelib::storage {

namespace {

/// Two processes that make one index at once can be told "busy" without having waited, for SQLite
/// does not wait while a file changes into WAL mode.
void UseWal(Database& database) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (true) {
    try {
      Statement statement = database.Prepare("PRAGMA journal_mode");
      if (statement.Step() && statement.Text(0) == "wal") return;
      statement.Reset();
      database.Execute("PRAGMA journal_mode = WAL");
      return;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBusy || std::chrono::steady_clock::now() > deadline) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
}

}  // namespace

Index Index::Open(const std::filesystem::path& path, Database::Mode mode) {
  Database database = Database::Open(path, mode);
  if (mode == Database::Mode::kWrite) {
    SchemaVersion(database, Migrations());  // before another program's file is changed
    UseWal(database);
    Migrate(database);
  } else {
    CheckSchema(database);
  }
  return Index(std::make_unique<Parts>(std::move(database)));
}

std::vector<std::string> Index::FindDamage() const {
  std::vector<std::string> lines;
  Statement check = parts_->database.Prepare("PRAGMA integrity_check(20)");
  while (check.Step()) {
    if (check.Text(0) != "ok") lines.push_back("index.db: " + check.Text(0));
  }
  Statement keys = parts_->database.Prepare("PRAGMA foreign_key_check");
  while (keys.Step()) {
    lines.push_back(fmt::format("index.db: row {} of {} refers to a row of {} that is not there",
                                keys.Int(1), keys.Text(0), keys.Text(2)));
  }
  return lines;
}

}  // namespace statelib::storage
