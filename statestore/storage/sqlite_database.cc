// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/sqlite_database.h"

#include <sqlite3.h>

#include <algorithm>
#include <climits>
#include <exception>
#include <new>
#include <utility>

#include "core/base/disk_full.h"
#include "core/base/error.h"
#include "statestore/storage/library_files.h"

namespace statelib::storage {

namespace {

constexpr int kValueBytesMax = 256 << 20;  // of one text or blob; the longest are of 1 GB documents
// Of all that SQLite allocates in this process: some copies of the longest text. A damaged index of
// words asks for any amount.
constexpr int64_t kHeapBytesMax = int64_t{4} * kValueBytesMax;

[[noreturn]] void ThrowFor(const std::filesystem::path& path, int code, const char* reason,
                           const std::string& doing) {
  const std::string file = path.string();
  // There is no room for the shared memory of the WAL, which is all that can go wrong with it.
  if (code == SQLITE_IOERR_SHMSIZE || code == SQLITE_IOERR_SHMMAP) code = SQLITE_FULL;
  switch (code & 0xff) {
    // The statements are ours: what does not fit them is the file.
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      ThrowDamagedIndex(path, reason);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      Throw(ErrorKind::kBusy,
            "{}: another process holds the index; wait for it to finish and run the command again",
            file);
    case SQLITE_FULL:
      throw DiskFull(
          fmt::format("{}: {}: the disk is full; free some space and run the command again, "
                      "nothing was changed",
                      file, doing));
    case SQLITE_NOMEM:
      Throw(ErrorKind::kIo,
            "{}: {}: more than {} MiB of memory would be needed, or the machine has none left; "
            "where it has, the index is damaged: run `statelib verify`",
            file, doing, kHeapBytesMax >> 20);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
      Throw(ErrorKind::kIo, "{}: {}: {}; check the permissions of the library's folder", file,
            doing, reason);
    default:
      Throw(ErrorKind::kIo, "{}: {}: {}", file, doing, reason);
  }
}

const char* NameOfType(int type) {
  switch (type) {
    case SQLITE_INTEGER:
      return "a number";
    case SQLITE_FLOAT:
      return "a fraction";
    case SQLITE_TEXT:
      return "a text";
    case SQLITE_BLOB:
      return "bytes";
    default:
      return "nothing";
  }
}

}  // namespace

void ThrowDamagedIndex(const std::filesystem::path& path, const std::string& what) {
  Throw(ErrorKind::kCorrupt,
        "{}: the index is damaged: {}; objects/ is untouched: `statelib repair` builds the index "
        "again",
        path.string(), what);
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement& Statement::Bind(int64_t value) {
  if (sqlite3_bind_int64(statement_.get(), ++bound_, value) != SQLITE_OK)
    database_->ThrowLast("cannot bind a number");
  return *this;
}

Statement& Statement::Bind(uint64_t value) {
  if (value > INT64_MAX)
    Throw(ErrorKind::kInvalidArgument, "the number {} is too large to be stored", value);
  return Bind(static_cast<int64_t>(value));
}

Statement& Statement::Bind(std::string_view text) {
  if (sqlite3_bind_text64(statement_.get(), ++bound_, text.data(), text.size(), SQLITE_TRANSIENT,
                          SQLITE_UTF8) != SQLITE_OK) {
    database_->ThrowLast("cannot bind a text");
  }
  return *this;
}

Statement& Statement::Bind(const Digest& digest) {
  if (sqlite3_bind_blob64(statement_.get(), ++bound_, digest.bytes.data(), digest.bytes.size(),
                          SQLITE_TRANSIENT) != SQLITE_OK) {
    database_->ThrowLast("cannot bind a digest");
  }
  return *this;
}

Statement& Statement::BindNull() {
  ++bound_;  // a fresh parameter is null
  return *this;
}

bool Statement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_->ThrowLast("cannot use the index");
  return false;
}

void Statement::Run() {
  while (Step()) {
  }
  Reset();
}

void Statement::Reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  bound_ = 0;
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

void Statement::Expect(int column, int type) const {
  const int found = sqlite3_column_type(statement_.get(), column);
  if (found == type) return;
  ThrowDamagedIndex(database_->path(), fmt::format("column {} holds {}, expected {}",
                                                   sqlite3_column_name(statement_.get(), column),
                                                   NameOfType(found), NameOfType(type)));
}

int64_t Statement::Int(int column) const {
  Expect(column, SQLITE_INTEGER);
  return sqlite3_column_int64(statement_.get(), column);
}

double Statement::Real(int column) const { return sqlite3_column_double(statement_.get(), column); }

uint64_t Statement::Uint(int column) const {
  const int64_t value = Int(column);
  if (value < 0) {
    ThrowDamagedIndex(database_->path(),
                      fmt::format("column {} holds {}, expected at least 0",
                                  sqlite3_column_name(statement_.get(), column), value));
  }
  return static_cast<uint64_t>(value);
}

std::string Statement::Text(int column) const {
  if (IsNull(column)) return {};
  Expect(column, SQLITE_TEXT);
  const auto* text = sqlite3_column_text(statement_.get(), column);
  if (text == nullptr) throw std::bad_alloc();
  const int length = sqlite3_column_bytes(statement_.get(), column);
  return {reinterpret_cast<const char*>(text), static_cast<size_t>(length)};
}

Digest Statement::ToDigest(int column) const {
  Expect(column, SQLITE_BLOB);
  const auto* blob = static_cast<const std::byte*>(sqlite3_column_blob(statement_.get(), column));
  const int length = sqlite3_column_bytes(statement_.get(), column);
  const auto digest = Digest::FromBytes({blob, static_cast<size_t>(length)});
  if (!digest) {
    ThrowDamagedIndex(database_->path(),
                      fmt::format("column {} holds {} bytes, expected 32",
                                  sqlite3_column_name(statement_.get(), column), length));
  }
  return *digest;
}

std::optional<Digest> Statement::MaybeDigest(int column) const {
  if (IsNull(column)) return std::nullopt;
  return ToDigest(column);
}

std::optional<int64_t> Statement::MaybeInt(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Int(column);
}

void Database::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

struct Database::Busy {
  Wait wait;
  std::exception_ptr end;  // of a wait that had to be given up
};

void Database::FreeBusy::operator()(Busy* busy) const { delete busy; }

Database::Database(std::filesystem::path path, const Waits& waits)
    : path_(std::move(path)),
      busy_(new Busy{Wait(waits, kLockTimeout, "another process that writes to " + path_.string()),
                     nullptr}) {}

int Database::OnBusy(void* data, int times) {
  Busy& busy = *static_cast<Busy*>(data);
  try {
    if (times == 0) busy.wait.Begin();
    busy.wait.Sleep(std::chrono::milliseconds(std::min(1 + 2 * times, 25)));
    return 1;
  } catch (...) {
    busy.end = std::current_exception();
    return 0;
  }
}

Database Database::Open(const std::filesystem::path& path, Mode mode, const Waits& waits) {
  try {
    return Connect(path, mode, false, waits);
  } catch (const DiskFull&) {
    if (mode != Mode::kWrite) throw;
  }
  // A file that one connection holds alone needs no shared memory.
  return Connect(path, mode, true, waits);
}

Database Database::Connect(const std::filesystem::path& path, Mode mode, bool alone,
                           const Waits& waits) {
  Database database(path, waits);
  int flags = SQLITE_OPEN_FULLMUTEX;
  flags |= mode == Mode::kWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  std::string name = path.string();
  if (mode == Mode::kFrozen) {
    flags |= SQLITE_OPEN_URI;
    std::string escaped = "file:";
    for (const char c : std::filesystem::absolute(path).string())
      escaped += c == '%' || c == '?' || c == '#' ? fmt::format("%{:02x}", c) : std::string(1, c);
    name = escaped + "?immutable=1";
  }
  std::error_code none;
  const bool is_new =
      mode == Mode::kWrite && path != ":memory:" && !std::filesystem::exists(path, none);
  sqlite3_hard_heap_limit64(kHeapBytesMax);
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &connection, flags, nullptr);
  database.connection_.reset(connection);
  if (code != SQLITE_OK) {
    ThrowFor(path, code, connection != nullptr ? sqlite3_errmsg(connection) : "out of memory",
             "cannot open the index");
  }
  // Before the first page is written: SQLite gives the files beside it the same permissions.
  if (is_new) SetPermissionsIn(path.parent_path(), path);
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_handler(connection, OnBusy, database.busy_.get());
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, kValueBytesMax);
  if (alone) database.Execute("PRAGMA locking_mode = EXCLUSIVE");
  // FULL: a commit is on the disk before the caller is told, in WAL mode too.
  // A cache of a quarter of a megabyte bounds what a long text takes while it is indexed; behind it
  // is the system's.
  database.Execute(
      "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA cache_size = -256; "
      "SELECT 1 FROM sqlite_schema LIMIT 1;");
  return database;
}

void Database::Execute(const std::string& sql) {
  if (sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    ThrowLast("cannot use the index");
}

Statement Database::Prepare(std::string_view sql) const {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  if (code != SQLITE_OK) ThrowLast("cannot use the index");
  return {*this, statement};
}

int64_t Database::last_insert_key() const { return sqlite3_last_insert_rowid(connection_.get()); }

int64_t Database::changed_rows() const { return sqlite3_changes64(connection_.get()); }

void Database::Write(const std::function<void()>& body) {
  if (sqlite3_get_autocommit(connection_.get()) == 0) return body();
  Execute("BEGIN IMMEDIATE");
  try {
    body();
    before_commit_();
    Execute("COMMIT");
  } catch (...) {
    // Some failures have rolled back already; then this one has nothing to do.
    sqlite3_exec(connection_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    after_rollback_();
    throw;
  }
}

void Database::Rehearse(const std::function<void()>& body) {
  struct Rehearsed {};
  if (sqlite3_get_autocommit(connection_.get()) != 0) {
    try {
      return Write([&] {
        body();
        throw Rehearsed();
      });
    } catch (const Rehearsed&) {
      return;  // rolled back
    }
  }
  Execute("SAVEPOINT rehearsal");
  const char* const take_back = "ROLLBACK TO rehearsal; RELEASE rehearsal";
  try {
    body();
  } catch (...) {
    sqlite3_exec(connection_.get(), take_back, nullptr, nullptr, nullptr);
    throw;
  }
  Execute(take_back);
}

void Database::Read(const std::function<void()>& body) const {
  if (sqlite3_get_autocommit(connection_.get()) == 0) return body();
  Prepare("BEGIN").Run();
  try {
    body();
  } catch (...) {
    sqlite3_exec(connection_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
  Prepare("COMMIT").Run();
}

void Database::ThrowLast(const std::string& doing) const {
  if (busy_->end) std::rethrow_exception(std::exchange(busy_->end, nullptr));
  ThrowFor(path_, sqlite3_extended_errcode(connection_.get()), sqlite3_errmsg(connection_.get()),
           doing);
}

}  // namespace statelib::storage
