// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/reserve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "core/base/disk_full.h"
#include "statestore/storage/maintenance.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

namespace fs = std::filesystem;

/// While it lives, SQLite finds its disk full: a WAL that is opened then has `wal_bytes`, and there
/// is no space for memory to share unless `can_share`. One at a time.
class FullDisk {
 public:
  FullDisk(sqlite3_int64 wal_bytes, bool can_share) {
    wal_bytes_ = wal_bytes;
    can_share_ = can_share;
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.zName = "full disk";
    vfs_.xOpen = Open;
    sqlite3_vfs_register(&vfs_, 1);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    sqlite3_vfs_register(real_, 1);
    sqlite3_vfs_unregister(&vfs_);
  }

  static void SetWalBytes(sqlite3_int64 bytes) { wal_bytes_ = bytes; }

 private:
  static int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
    const int code = real_->xOpen(real_, name, file, flags, out);
    if (code != SQLITE_OK || file->pMethods == nullptr) return code;
    if ((flags & SQLITE_OPEN_WAL) != 0) {
      wal_real_ = file->pMethods;
      wal_ = *wal_real_;
      wal_.xWrite = Write;
      file->pMethods = &wal_;
    } else if ((flags & SQLITE_OPEN_MAIN_DB) != 0 && !can_share_) {
      main_ = *file->pMethods;
      main_.xShmMap = [](sqlite3_file*, int, int, int, void volatile**) {
        return SQLITE_IOERR_SHMSIZE;
      };
      file->pMethods = &main_;
    }
    return code;
  }

  static int Write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
    if (at + size > wal_bytes_) return SQLITE_FULL;
    return wal_real_->xWrite(file, bytes, size, at);
  }

  static inline sqlite3_int64 wal_bytes_ = 0;
  static inline bool can_share_ = true;
  static inline sqlite3_vfs* real_ = nullptr;
  static inline sqlite3_vfs vfs_;
  static inline const sqlite3_io_methods* wal_real_ = nullptr;
  static inline sqlite3_io_methods wal_, main_;
};

class Reserve : public testing::Test {
 protected:
  Reserve() {
    Repository repository = Open();
    for (int i = 1; i <= 60; ++i)
      PublishSample(repository, "n" + std::to_string(i), 5, static_cast<unsigned>(i));
  }
  Repository Open() { return Repository::Open(library_, Repository::Access::kCreate); }
  bool IsThere() const { return fs::exists(library_ / "index.db-reserve"); }
  static void RemoveAll(Repository& repository) {
    WriteFreeingSpace(repository, [&] {
      for (const ReferenceRow& row : repository.index().references().List({}))
        repository.index().references().Remove(row.name, row.tag, 2000);
    });
  }

  TemporaryDirectory folder_;
  fs::path library_ = folder_.path() / "library";
};

TEST_F(Reserve, ALibraryIsMadeWithOne) {
  EXPECT_EQ(fs::file_size(library_ / "index.db-reserve"), 256u << 10);
}

TEST_F(Reserve, IsGivenUpForWhatFreesSpaceAndMadeAgainByGc) {
  Repository repository = Open();
  int runs = 0;
  WriteFreeingSpace(repository, [&] {
    if (++runs == 1) throw DiskFull("full");
    EXPECT_FALSE(IsThere());
    repository.index().references().Remove("n1", "latest", 2000);
  });
  EXPECT_EQ(runs, 2);
  EXPECT_FALSE(repository.index().references().Find("n1", "latest"));
  CollectGarbage(repository, {});
  EXPECT_TRUE(IsThere());
}

TEST_F(Reserve, WithoutOneTheErrorIsThatOfTheDisk) {
  Repository repository = Open();
  fs::remove(library_ / "index.db-reserve");
  ExpectError(ErrorKind::kIo, "full",
              [&] { WriteFreeingSpace(repository, [] { throw DiskFull("full"); }); });
  ExpectError(ErrorKind::kIo, "other",
              [&] { WriteFreeingSpace(repository, [] { throw Error(ErrorKind::kIo, "other"); }); });
}

TEST_F(Reserve, ALibraryIsOpenedWhereNoMemoryCanBeShared) {
  const FullDisk full(0, false);
  const Repository repository = Open();
  EXPECT_EQ(repository.index().references().List({}).size(), 60u);
  EXPECT_NO_THROW(repository.Resolve("n7"));
}

TEST_F(Reserve, WhatIsTooLargeForTheDiskIsRefusedAndChangesNothing) {
  {
    const FullDisk full(20'000, true);
    Repository repository = Open();
    ExpectError(ErrorKind::kIo, "the disk is full", [&] { RemoveAll(repository); });
    EXPECT_EQ(repository.index().references().List({}).size(), 60u);
  }
  Repository repository = Open();
  EXPECT_NO_THROW(RemoveAll(repository));
}

TEST_F(Reserve, GcGoesStateByStateWhereNotAllFitAtOnce) {
  Repository repository = Open();
  RemoveAll(repository);
  repository.index().Settle();
  {
    const FullDisk full(45'000, true);
    Repository limited = Open();
    const auto states = limited.index().states().Unreachable(0, INT64_MAX);
    ASSERT_EQ(states.size(), 60u);
    EXPECT_THROW(limited.index().Write([&] {
      for (const StateRow& state : states) limited.index().states().Remove(state.id);
      limited.index().lineage().RemoveUnreachable();
    }),
                 DiskFull);
    try {
      CollectGarbage(limited, {});
    } catch (const DiskFull&) {
      // The derivations did not fit; the states have gone before.
    }
    limited.objects().ForEach([](const ObjectId& id, uint64_t) { ADD_FAILURE() << id.Hex(); });
    EXPECT_EQ(limited.index().states().count(), 0u);
  }
  CollectGarbage(repository, {});
  ExpectClean(repository);
  EXPECT_TRUE(IsThere());
}

}  // namespace
}  // namespace statelib::storage
