// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index.h"

#include "core/base/error.h"
#include "statestore/storage/index_damage.h"
#include "statestore/storage/index_schema.h"
#include "statestore/storage/index_settings.h"
#include "statestore/storage/index_shape.h"

namespace statelib::storage {

namespace {

/// Two processes that make one index at once can be told "busy" without having waited, for SQLite
/// does not wait while a file changes into WAL mode.
void UseWal(Database& database, const Waits& waits) {
  Wait wait(waits, kLockTimeout, "another process that makes " + database.path().string());
  while (true) {
    try {
      Statement statement = database.Prepare("PRAGMA journal_mode");
      if (statement.Step() && statement.Text(0) == "wal") return;
      statement.Reset();
      database.Execute("PRAGMA journal_mode = WAL");
      return;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBusy) throw;
      wait.Sleep(std::chrono::milliseconds(5));
    }
  }
}

constexpr const char* kIdentityKey = "identity";

std::optional<LibraryIdentity> Identity(const Database& database) {
  if (!HasTable(database, "settings")) return std::nullopt;
  Statement statement = database.Prepare("SELECT value FROM settings WHERE key = ?");
  statement.Bind(kIdentityKey);
  if (!statement.Step()) return std::nullopt;
  return statement.MaybeDigest(0);
}

/// Brings the schema up to date where that is possible, and checks that it is all there.
void TakeUp(Database& database, Database::Mode mode, const std::optional<LibraryIdentity>& identity,
            const Waits& waits) {
  if (mode == Database::Mode::kWrite) {
    UseWal(database, waits);
    // A look without the write lock is enough for every opening but the first.
    const bool is_old = SchemaVersion(database, Migrations()) < Migrations().size();
    if (is_old)
      database.Write([&] {
        const bool is_new = SchemaVersion(database, Migrations()) == 0;
        Migrate(database);
        if (!is_new || !identity) return;
        SetSetting(database, kIdentityKey, *identity);
      });
  } else {
    CheckSchema(database);
  }
  CheckShape(database);
}

}  // namespace

Index Index::Open(const std::filesystem::path& path, Database::Mode mode,
                  const std::optional<LibraryIdentity>& identity, const Waits& waits) {
  Database database = Database::Open(path, mode, waits);
  SchemaVersion(database, Migrations());  // before another program's file is changed
  TakeUp(database, mode, identity, waits);
  return Index(std::make_unique<Parts>(std::move(database)));
}

std::optional<Index> Index::Find(const std::filesystem::path& path, Database::Mode mode,
                                 const std::optional<LibraryIdentity>& identity,
                                 const Waits& waits) {
  Database database = Database::Open(path, mode, waits);
  if (SchemaVersion(database, Migrations()) == 0 && IsBlank(database)) return std::nullopt;
  const auto found = Identity(database);
  if (!identity || found != identity) {
    Throw(ErrorKind::kCorrupt,
          "{}: not the index of this library: library.toml has the identity {}, the index {}; "
          "nothing was changed: `statelib repair` finds out which is right",
          path.string(), identity ? identity->ShortHex() : "of nobody, for it is not there",
          found ? found->ShortHex() : "none");
  }
  TakeUp(database, mode, {}, waits);
  return Index(std::make_unique<Parts>(std::move(database)));
}

void Index::Settle() {
  try {
    parts_->database.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (const Error&) {
    // It stays as long as it has to.
  }
}

Index::Parts::Parts(Database opened)
    : database(std::move(opened)),
      changes(database),
      models(database, pending),
      states(database),
      checkpoints(database, pending),
      lineage(database, pending),
      references(database, pending, lineage, changes),
      texts(database) {
  database.OnEnd([this] { WriteRecords(); }, [this] { pending.Take(); });
}

void Index::Parts::WriteRecords() {
  std::vector<Change> made = pending.Take();
  if (made.empty() || !log) return;
  const uint64_t last = changes.last_transaction().number;
  log->Write(changes.Add(identity, std::move(made)), last);
}

void Index::KeepRecords(const LibraryIdentity& identity, ChangeLog log) {
  parts_->identity = identity;
  parts_->log = std::move(log);
}

std::optional<LibraryIdentity> Index::identity() const { return Identity(parts_->database); }

std::optional<LibraryIdentity> Index::IdentityIn(const std::filesystem::path& path) {
  const Database database = Database::Open(path, Database::Mode::kFrozen);
  SchemaVersion(database, Migrations());
  return Identity(database);
}

std::vector<std::string> Index::FindDamage() const {
  std::vector<std::string> lines;
  FindFileDamage(parts_->database, &lines);
  FindRowDamage(parts_->database, &lines);
  return lines;
}

}  // namespace statelib::storage
