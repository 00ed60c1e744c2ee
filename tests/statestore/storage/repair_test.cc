// SPDX-License-Identifier: Apache-2.0
// An index that was lost is made again from objects and records.
#include "statestore/storage/repair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/statestore/expect_error.h"
#include "tests/statestore/faulty_file_system.h"
#include "tests/statestore/file_tree.h"
#include "tests/statestore/index_portrait.h"
#include "tests/statestore/storage/repaired_library.h"

namespace statelib::storage {
namespace {

namespace fs = std::filesystem;
using Access = Repository::Access;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(Repair, BringsANameBackWithoutTheVersionsThatItHasLost) {
  {
    Repository repository = Open();
    IndexReferences& references = repository.index().references();
    for (unsigned i = 1; i <= 4; ++i)
      PublishSample(repository, "a", 4 + i, i, 1000 + static_cast<int64_t>(i));
    references.Return("a", "latest", 3, true, 1005);
    references.Return("a", "latest", 1, false, 1006);
    references.Return("a", "latest", 4, false, 1007);
    references.Rename("a", "latest", "b", "latest", 1008);
    references.Forget("b", "latest", {1, 3}, 1009);
    PublishSample(repository, "b", 20, 9, 1010);
    references.Forget("b", "latest", {2}, 1011);
    // Versions of a name that was removed later, and of one that had the name before.
    PublishSample(repository, "gone", 30, 10, 1012);
    PublishSample(repository, "gone", 31, 11, 1013);
    references.Forget("gone", "latest", {1}, 1014);
    references.Remove("gone", "latest", 1015);
  }
  Collect();
  const std::string before = PortraitOf(library_);
  LoseIndex();
  EXPECT_THAT(Run().lost, IsEmpty());
  EXPECT_EQ(DifferenceOf(before, PortraitOf(library_)), "");
  EXPECT_THAT(Names(), ElementsAre("b:latest@5"));
  // And again, whatever gc takes of the records.
  Collect();
  const std::string collected = PortraitOf(library_);
  LoseIndex();
  EXPECT_THAT(Run().lost, IsEmpty());
  EXPECT_EQ(DifferenceOf(collected, PortraitOf(library_)), "");
}

TEST_F(Repair, BringsAVersionThatWasLostBackNoMoreThanItsState) {
  {
    Repository repository = Open();
    PublishSample(repository, "a", 5, 1);
    PublishSample(repository, "a", 6, 2);
    repository.index().references().Forget("a", "latest", {1}, 1003);
  }
  LoseIndex();
  const RepairReport report = Run();
  EXPECT_THAT(report.lost, IsEmpty());
  EXPECT_EQ(report.versions, 1u);
  EXPECT_EQ(report.unneeded_objects, 2u);
}

TEST_F(Repair, BringsBackAllThatTheIndexKnew) {
  Fill();
  Collect();
  const std::string before = PortraitOf(library_);
  LoseIndex();
  const RepairReport report = Run();
  EXPECT_EQ(DifferenceOf(before, PortraitOf(library_)), "");
  EXPECT_EQ(report.damage, "there was no index.db");
  EXPECT_TRUE(report.rebuilt);
  EXPECT_THAT(report.lost, IsEmpty());
  EXPECT_EQ(report.unneeded_objects, 0u);
  EXPECT_EQ(report.names, 8u);
  EXPECT_EQ(report.versions, 10u);
  Repository repository = Open();
  ExpectClean(repository);
  // A number goes on from where it was.
  PublishSample(repository, "a", 5, 20, 2000);
  EXPECT_EQ(repository.Resolve("a").reference->version, 4u);
  ExpectClean(repository);
}

TEST_F(Repair, WhatIsMadeAgainHasThePermissionsOfTheLibrary) {
  Fill();
  const auto permissions = [&](const char* name) {
    return fs::status(library_ / name).permissions();
  };
  const auto index = permissions("index.db"), file = permissions("library.toml");
  LoseIndex();
  fs::remove(library_ / "library.toml");
  Run();
  EXPECT_EQ(permissions("index.db"), index);
  EXPECT_EQ(permissions("library.toml"), file);
}

TEST_F(Repair, FindsTheSameWithoutAGcBetween) {
  Fill();
  fs::copy(library_, folder_.path() / "collected", fs::copy_options::recursive);
  LoseIndex();
  EXPECT_GT(Run().unneeded_objects, 0u);  // of what was removed
  Collect();
  const std::string repaired = PortraitOf(library_);
  library_ = folder_.path() / "collected";
  Collect();
  EXPECT_EQ(DifferenceOf(PortraitOf(library_), repaired), "");
}

TEST_F(Repair, ASecondRunChangesNothing) {
  Fill();
  LoseIndex();
  Run();
  const FileTree once = TreeOf(library_);
  const RepairReport report = Run();
  EXPECT_EQ(report.damage, "");
  EXPECT_FALSE(report.rebuilt || report.wrote_library_file);
  EXPECT_EQ(statelib::DifferenceOf(once, TreeOf(library_)), "");
}

TEST_F(Repair, MakesEveryKindOfDamageGood) {
  Fill();
  Collect();
  const std::string before = PortraitOf(library_);
  const fs::path index = library_ / "index.db";
  const fs::path other = folder_.path() / "other";
  {
    Repository another = Repository::Open(other, Access::kCreate);
    PublishSample(another, "b");
  }
  const std::vector<std::function<void()>> damages = {
      [&] { fs::resize_file(index, 0); },
      [&] { fs::resize_file(index, 4096); },
      [&] { std::ofstream(index) << std::string(20000, 'x'); },
      [&] { fs::copy_file(other / "index.db", index, fs::copy_options::overwrite_existing); },
      [&] { Database::Open(index, Database::Mode::kWrite).Execute("DROP TABLE moves"); },
      [&] { Database::Open(index, Database::Mode::kWrite).Execute("DROP TABLE passages_fts"); },
      [&] { fs::remove(library_ / "library.toml"); },
      [&] { std::ofstream(library_ / "library.toml") << "format = "; },
      [&] {
        fs::copy_file(other / "library.toml", library_ / "library.toml",
                      fs::copy_options::overwrite_existing);
      },
      [&] {
        fs::remove(index);
        fs::remove(library_ / "library.toml");
      },
  };
  for (size_t i = 0; i < damages.size(); ++i) {
    SCOPED_TRACE(i);
    damages[i]();
    EXPECT_THROW(Repository::Open(library_, Access::kCreate), Error);
    const bool had_index = fs::exists(index);
    const RepairReport report = Run();
    EXPECT_NE(report.damage, "");
    EXPECT_EQ(DifferenceOf(before, PortraitOf(library_)), "");
    EXPECT_EQ(report.rebuilt && had_index, !report.damaged_index.empty());
    if (report.rebuilt && had_index) {
      EXPECT_TRUE(fs::exists(report.damaged_index));
    }
    { ExpectClean(Open()); }
  }
}

TEST_F(Repair, ADamagedObjectIsReportedAndNamedByNoRow) {
  Fill();
  const StateId bad = [&] { return Open().Resolve("a@2").state.id; }();
  const StateId missing = [&] { return Open().Resolve("there:now").state.id; }();
  const ObjectStore objects(FileSystem::Real(), library_ / "objects", library_ / "tmp");
  fs::resize_file(objects.PathOf(bad), 100);
  fs::remove(objects.PathOf(missing));
  LoseIndex();
  const RepairReport report = Run();
  EXPECT_THAT(report.lost, testing::Contains(HasSubstr("a:latest@2: ")));
  EXPECT_THAT(report.lost, testing::Contains(HasSubstr(missing.ShortHex() + " is missing")));
  EXPECT_THAT(Names(),
              ElementsAre("a:latest@1", "child:latest@1", "delta:latest@1", "gone:latest@1",
                          "long:latest@1", "moved:v1@1", "read:latest@1"));
}

TEST_F(Repair, ADamagedRecordIsReported) {
  Fill();
  size_t damaged = 0;
  const ChangeLog log(FileSystem::Real(), library_ / "records");
  log.ForEach([&](const RecordFile& name) {
    if (log.Read(name).change.kind != ChangeKind::kReturn) return;
    std::fstream file(log.PathOf(name), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(30);
    file << "\xff\xff";
    ++damaged;
  });
  ASSERT_EQ(damaged, 2u);
  EXPECT_EQ(Verify(Open()).problems.size(), 2u);
  LoseIndex();
  EXPECT_THAT(Run().lost, testing::Contains(HasSubstr("damaged record")));
}

TEST_F(Repair, AnIndexThatIsOlderThanItsRecordsIsDamage) {
  { PublishSample(*std::make_unique<Repository>(Open()), "a", 5, 1); }
  fs::copy_file(library_ / "index.db", folder_.path() / "old.db");
  {
    Repository repository = Open();
    for (unsigned seed = 2; seed < 5; ++seed) PublishSample(repository, "a", 5, seed);
  }
  const std::string before = PortraitOf(library_);
  fs::copy_file(folder_.path() / "old.db", library_ / "index.db",
                fs::copy_options::overwrite_existing);
  { Open(); }  // which takes away what SQLite left of its own
  const FileTree tree = TreeOf(library_);
  {
    Repository repository = Open();
    ExpectError(ErrorKind::kCorrupt, "statelib repair",
                [&] { CollectGarbage(repository, {.now_ms = kYearsLater}); });
    EXPECT_FALSE(Verify(repository).problems.empty());
    ExpectError(ErrorKind::kCorrupt, "statelib repair",
                [&] { repository.index().references().Return("a", "latest", 1, false, 9); });
  }
  EXPECT_EQ(statelib::DifferenceOf(tree, TreeOf(library_)), "");
  Run();
  EXPECT_EQ(DifferenceOf(before, PortraitOf(library_)), "");
}

TEST_F(Repair, WaitsForNobodyWhoHasTheLibraryOpen) {
  Fill();
  const Repository open = Open();
  LoseIndex();
  ExpectError(ErrorKind::kBusy, "somebody has this library open", [&] { Run(); });
}

TEST_F(Repair, WhereThereIsNoLibraryThereIsNothingToRepair) {
  ExpectError(ErrorKind::kNotFound, "there is no library", [&] { Run(); });
  EXPECT_FALSE(fs::exists(library_));
}

TEST_F(Repair, FailsAtAnyChangeAndIsEndedByTheNextRun) {
  Fill();
  Collect();
  const std::string before = PortraitOf(library_);
  std::ofstream(library_ / "index.db") << std::string(20000, 'x');
  std::ofstream(library_ / "index.db-wal") << "y";
  fs::remove(library_ / "library.toml");
  const fs::path original = folder_.path() / "original";
  fs::rename(library_, original);
  for (int n = 1;; ++n) {
    SCOPED_TRACE(n);
    fs::remove_all(library_);
    fs::copy(original, library_, fs::copy_options::recursive);
    FaultyFileSystem files(n, n % 2 == 0);
    try {
      Run(files);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kIo);
    }
    Run();
    EXPECT_EQ(DifferenceOf(before, PortraitOf(library_)), "");
    if (!files.failed()) break;
    ASSERT_LT(n, 100);
  }
}

}  // namespace
}  // namespace statelib::storage
