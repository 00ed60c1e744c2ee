// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_SQLITE_DATABASE_H_
#define STATELIB_STATESTORE_STORAGE_SQLITE_DATABASE_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/digest.h"
#include "core/base/waiting.h"

struct sqlite3;
struct sqlite3_stmt;

namespace statelib::storage {

class Database;

/// Throws kCorrupt for an index that holds what does not fit together. `what` is for the message,
/// which says how the library gets a sound index again.
[[noreturn]] void ThrowDamagedIndex(const std::filesystem::path& path, const std::string& what);

/// One SQL statement: bind its parameters in order, then step through its rows. Move-only. One
/// thread. Errors are those of Database.
class Statement {
 public:
  /// Binds the next parameter. Texts and digests are copied.
  Statement& Bind(int64_t value);
  Statement& Bind(uint64_t value);  ///< Errors: kInvalidArgument above 2^63 - 1
  Statement& Bind(std::string_view text);
  Statement& Bind(const Digest& digest);
  Statement& BindNull();
  template <typename T>
  Statement& Bind(const std::optional<T>& value) {
    return value ? Bind(*value) : BindNull();
  }

  /// Moves to the next row; false after the last one.
  bool Step();
  /// Steps through all rows, then makes the statement ready to be bound again.
  void Run();
  void Reset();

  /// What a column of the row holds. Errors: kCorrupt when it holds another type, for SQLite keeps
  /// any value in any column.
  bool IsNull(int column) const;
  int64_t Int(int column) const;
  double Real(int column) const;       ///< of any number
  uint64_t Uint(int column) const;     ///< Errors: kCorrupt when negative
  std::string Text(int column) const;  ///< empty for NULL
  Digest ToDigest(int column) const;   ///< Errors: kCorrupt unless 32 bytes
  std::optional<Digest> MaybeDigest(int column) const;
  std::optional<int64_t> MaybeInt(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(const Database& database, sqlite3_stmt* statement)
      : database_(&database), statement_(statement) {}
  void Expect(int column, int type) const;

  const Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
};

/// A connection to an SQLite file. Move-only. One thread.
/// Errors of every method: kCorrupt when the file is damaged, not a database or does not fit the
/// statement, those of Wait where another process holds it, kIo (disk full, read-only, …), each
/// with the path and what to do.
class Database {
 public:
  enum class Mode {
    kWrite,   ///< makes the file if there is none
    kRead,    ///< reads beside writers
    kFrozen,  ///< reads a file on a medium that nobody can write
  };
  /// Where there is no space for what connections share, a writer takes the file alone until it is
  /// closed, and others wait.
  static Database Open(const std::filesystem::path& path, Mode mode, const Waits& waits = {});

  void Execute(const std::string& sql);  ///< several statements without parameters
  Statement Prepare(std::string_view sql) const;
  int64_t last_insert_key() const;
  int64_t changed_rows() const;  ///< by the last statement

  /// Runs `body` inside one transaction that is committed, durably, when body returns and rolled
  /// back when it throws. Takes the write lock first, so that nothing read inside can go stale.
  /// Within another Write, body becomes part of that one.
  void Write(const std::function<void()>& body);
  /// Runs `body` as Write does and then takes back all that it has changed.
  void Rehearse(const std::function<void()>& body);
  /// What a transaction of Write does last, before it is committed, and what is done when one was
  /// rolled back.
  void OnEnd(std::function<void()> before_commit, std::function<void()> after_rollback) {
    before_commit_ = std::move(before_commit);
    after_rollback_ = std::move(after_rollback);
  }
  /// Runs `body` on one unchanging view of the database.
  void Read(const std::function<void()>& body) const;

  const std::filesystem::path& path() const { return path_; }
  [[noreturn]] void ThrowLast(const std::string& doing) const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  /// How the file is waited for while another process holds it. SQLite asks it, so nothing may be
  /// thrown through: what ends a wait is kept here.
  struct Busy;
  struct FreeBusy {
    void operator()(Busy* busy) const;
  };
  static int OnBusy(void* busy, int times);
  Database(std::filesystem::path path, const Waits& waits);
  static Database Connect(const std::filesystem::path& path, Mode mode, bool alone,
                          const Waits& waits);

  std::filesystem::path path_;
  std::unique_ptr<Busy, FreeBusy> busy_;  // outlives the connection
  std::unique_ptr<sqlite3, Close> connection_;
  std::function<void()> before_commit_ = [] {};
  std::function<void()> after_rollback_ = [] {};
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_SQLITE_DATABASE_H_
