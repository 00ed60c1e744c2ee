// SPDX-License-Identifier: Apache-2.0
// Which index belongs to a library: one that is lost, emptied or another's is damage, and nothing
// is made or deleted then.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/base/atomic_file.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/faulty_file_system.h"
#include "tests/statestore/file_tree.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

namespace fs = std::filesystem;
using Access = Repository::Access;

class LostIndex : public testing::Test {
 protected:
  void SetUp() override { PublishSample(*Made("library"), "a"); }

  std::unique_ptr<Repository> Made(const std::string& name) {
    return std::make_unique<Repository>(Repository::Open(folder_.path() / name, Access::kCreate));
  }

  /// Expects that nobody can open the library, that all are told of repair, and that not a byte
  /// has changed.
  void ExpectDamage(const std::string& what) {
    const FileTree before = TreeOf(library_);
    for (const Access access : {Access::kRead, Access::kWrite, Access::kCreate}) {
      ExpectError(ErrorKind::kCorrupt, what, [&] { Repository::Open(library_, access); });
      ExpectError(ErrorKind::kCorrupt, "statelib repair",
                  [&] { Repository::Open(library_, access); });
    }
    EXPECT_EQ(statelib::DifferenceOf(before, TreeOf(library_)), "");
    EXPECT_TRUE(Repository::IsAt(library_));
  }

  TemporaryDirectory folder_;
  fs::path library_ = folder_.path() / "library";
  fs::path index_ = library_ / "index.db";
};

TEST_F(LostIndex, AMissingOneIsDamage) {
  fs::remove(index_);
  ExpectDamage("there is no index.db");
}

TEST_F(LostIndex, AnEmptyFileIsDamage) {
  fs::resize_file(index_, 0);
  ExpectDamage("its index.db is empty");
}

TEST_F(LostIndex, OneWithoutASchemaIsDamage) {
  fs::remove(index_);
  Database::Open(index_, Database::Mode::kWrite).Execute("PRAGMA journal_mode = WAL");
  ASSERT_GT(fs::file_size(index_), 0u);
  ExpectDamage("its index.db holds no library");
}

TEST_F(LostIndex, ThatOfAnotherLibraryIsDamage) {
  PublishSample(*Made("other"), "b");
  fs::copy_file(folder_.path() / "other" / "index.db", index_,
                fs::copy_options::overwrite_existing);
  ExpectDamage("not the index of this library");
}

TEST_F(LostIndex, OneWithoutAnIdentityIsDamage) {
  Database::Open(index_, Database::Mode::kWrite)
      .Execute("DELETE FROM settings WHERE key = 'identity'");
  ExpectDamage("the index none");
}

TEST_F(LostIndex, OneWithoutItsTablesIsDamage) {
  Database::Open(index_, Database::Mode::kWrite).Execute("DROP TABLE moves");
  ExpectDamage("it has no table \"moves\"");
}

TEST_F(LostIndex, AMissingOrDamagedLibraryFileIsDamage) {
  const fs::path file = library_ / "library.toml";
  const Bytes bytes = FileSystem::Real().ReadFile(file, 1000);
  fs::remove(file);
  ExpectDamage("it is not there");
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    fs::remove(file);
    WriteFileAtomically(FileSystem::Real(), file, ByteSpan(bytes).first(cut));
    if (cut + 1 < bytes.size())  // without its last newline it says the same
      ExpectError(ErrorKind::kCorrupt, "library.toml",
                  [&] { Repository::Open(library_, Access::kRead); });
  }
}

TEST_F(LostIndex, AnotherFormatOfALibraryIsRefusedWithAdvice) {
  std::ofstream(library_ / "library.toml") << "format = 2\nidentity = \"later\"\n";
  ExpectError(ErrorKind::kUnsupported, "library format 2, this statelib knows 1",
              [&] { Repository::Open(library_, Access::kRead); });
}

TEST_F(LostIndex, ASoundOneThatKnowsNoStateIsLegal) {
  Made("fresh")->objects().Put(
      EncodedObject{HashOf(AsBytes("x")), Bytes(AsBytes("x").begin(), AsBytes("x").end())});
  Repository again = Repository::Open(folder_.path() / "fresh", Access::kRead);
  EXPECT_EQ(Verify(again).unneeded_objects, 1u);
}

TEST(MakingALibrary, IsFinishedOrBegunAgainWhicheverChangeFails) {
  for (int n = 1;; ++n) {
    TemporaryDirectory folder;
    const fs::path path = folder.path() / "library";
    FaultyFileSystem files(n, true);
    try {
      Repository::Open(path, Access::kCreate, files);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kIo) << n;
    }
    const bool failed = files.failed();
    Repository repository = Repository::Open(path, Access::kCreate);
    PublishSample(repository, "a");
    ExpectClean(repository);
    if (!failed) break;
    ASSERT_LT(n, 100);
  }
}

TEST(MakingALibrary, WhatWasBegunIsNoLibraryForReaders) {
  TemporaryDirectory folder;
  const fs::path path = folder.path() / "library";
  Repository::Open(path, Access::kCreate);
  fs::resize_file(path / "index.db", 0);
  for (const Access access : {Access::kRead, Access::kWrite}) {
    ExpectError(ErrorKind::kNotFound, "there is no library",
                [&] { Repository::Open(path, access); });
  }
  const LibraryIdentity identity = Repository::Open(path, Access::kCreate).identity();
  EXPECT_EQ(Repository::Open(path, Access::kRead).identity(), identity);
}

}  // namespace
}  // namespace statelib::storage
