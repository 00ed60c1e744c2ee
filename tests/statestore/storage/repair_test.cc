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
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

namespace fs = std::filesystem;
using Access = Repository::Access;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kYearsLater = int64_t{1} << 42;

class Repair : public testing::Test {
 protected:
  Repository Open(FileSystem& files = FileSystem::Real()) {
    return Repository::Open(library_, Access::kCreate, files);
  }

  /// A library with all that a name can have gone through.
  void Fill() {
    Repository repository = Open();
    Index& index = repository.index();
    IndexReferences& references = index.references();
    PublishSample(repository, "a", 5, 21, 1001);
    PublishSample(repository, "a", 6, 22, 1002);
    PublishSample(repository, "a", 7, 23, 1003);
    references.Return("a", "latest", 2, true, 1004);
    references.Return("a", "latest", 1, false, 1005);
    PublishSample(repository, "moved:v1", 5, 3, 1006);
    references.Rename("moved", "v1", "there", "now", 1007);
    PublishSample(repository, "moved:v1", 5, 4, 1008);
    PublishSample(repository, "gone", 5, 5, 1009);
    references.Remove("gone", "latest", 1010);
    PublishSample(repository, "gone", 5, 6, 1011);
    // What goes on from a name that is removed keeps its lineage.
    const PublishedState parent = PublishSample(repository, "parent", 5, 7, 1012);
    Derivation derivation;
    derivation.operation = Operation::kCopy;
    derivation.parent = parent.derivation;
    derivation.parent_state = parent.state.id;
    index.Write(
        [&] { NameState(index, parent.state, derivation, Reference::Parse("child"), 1013); });
    references.Remove("parent", "latest", 1014);
    // A checkpoint, and a delta whose base has no name.
    SampleNewState shorter(4, 8);
    PublishCheckpoint(repository, shorter.state, 1015);
    SampleNewState longer(9, 8);
    longer.state.prefix = StateIdOf(repository, 4, 8);
    Publish(repository, longer.state, {}, Reference::Parse("long"), 1016);
    SampleNewState base(SampleStateNear(5), 1);
    PublishCheckpoint(repository, base.state, 1017);
    PublishNear(repository, "delta", 6, Codec::kDelta,
                repository.index().checkpoints().List({}).front().state.id);
    ModelRow model = index.models().All().front();
    model.path = "/models/\xff";  // paths are bytes
    model.description_json = "{\"a\":\"b\"}";
    model.card = {"\nQuestion: {question}\nAnswer:", "\n", {}};
    model.prompt = {{}, "", "Unknown."};
    index.models().Put(model);
    index.models().SetDefault(model.identity.fingerprint);
    index.checkpoints().SetBudget(123456);
    SampleNewState with_template(5, 9);
    Derivation read;
    read.sources = {{"x.txt", 12, HashOf(AsBytes("x")), 5, 7, "/a\nb/x.txt"}};
    read.text_template = {"\n\n", "# {path}\n"};
    Publish(repository, with_template.state, read, Reference::Parse("read"), 1018);
    // What travels under another id, names that were removed, and one of which nothing is here.
    const StateId state = repository.Resolve("a@2").state.id;
    PublishSample(repository, "left", 5, 10, 1019);
    index.Write([&] {
      references.NoteHad("a", "latest", {HashOf(AsBytes("a elsewhere")), state});
      references.NoteHad("left", "latest", {HashOf(AsBytes("left elsewhere")), state});
      references.NoteHad("elsewhere", "latest", {state, state});
    });
    references.Remove("left", "latest", 1020);
    references.Rename("a", "latest", "b", "latest", 1021);
    references.Rename("b", "latest", "a", "latest", 1022);
  }

  static StateId StateIdOf(Repository& repository, uint64_t tokens, unsigned seed) {
    const SampleNewState sample(tokens, seed);
    for (const CheckpointRow& row : repository.index().checkpoints().List({}))
      if (row.state.history == sample.record.description.history) return row.state.id;
    ADD_FAILURE() << "no such checkpoint";
    return {};
  }

  void Collect() {
    Repository repository = Open();
    CollectGarbage(repository, {.now_ms = kYearsLater});
  }
  void LoseIndex() {
    for (const char* end : {"", "-wal", "-shm"})
      fs::remove(library_ / (std::string("index.db") + end));
  }
  RepairReport Run(FileSystem& files = FileSystem::Real()) {
    return RepairIndex(library_, files, {.now_ms = 5000});
  }
  std::vector<std::string> Names() {
    const Repository repository = Repository::Open(library_, Access::kWrite);
    ExpectClean(repository);
    std::vector<std::string> names;
    for (const ReferenceRow& row : repository.index().references().List({}))
      names.push_back(fmt::format("{}:{}@{}", row.name, row.tag, row.version));
    return names;
  }

  TemporaryDirectory folder_;
  fs::path library_ = folder_.path() / "library";
};

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

/// What a library is after some changes, as the index says and as its records say.
class Interrupted : public Repair {
 protected:
  /// Fails at each change of `body` to the files, with and without dying of it, and expects the
  /// names from before it or after it, from the index and from the records, however it goes on.
  void FailEverywhere(const std::function<void(Repository&)>& body) {
    const fs::path original = folder_.path() / "original";
    fs::copy(library_, original, fs::copy_options::recursive);
    const std::vector<std::string> before = Names();
    {
      Repository repository = Open();
      body(repository);
    }
    const std::vector<std::string> after = Names();
    ASSERT_NE(before, after);
    bool finished = false;
    for (int n = 1; !finished; ++n) {
      for (const bool dies : {true, false}) {
        SCOPED_TRACE(fmt::format("change {}, {}", n, dies));
        fs::remove_all(library_);
        fs::copy(original, library_, fs::copy_options::recursive);
        FaultyFileSystem files(n, dies);
        try {
          Repository repository = Open(files);
          body(repository);
        } catch (const Error&) {
        }
        finished = !files.failed();
        const std::vector<std::string> now = Names();
        EXPECT_TRUE(now == before || now == after);
        const fs::path kept = folder_.path() / "kept";
        fs::remove_all(kept);
        fs::copy(library_, kept, fs::copy_options::recursive);
        LoseIndex();
        Run();
        const std::vector<std::string> repaired = Names();
        EXPECT_TRUE(repaired == before || repaired == after);
        // From where the index has it: again, and then no trace of what was cut off.
        fs::remove_all(library_);
        fs::rename(kept, library_);
        if (now == before) {
          Repository repository = Open();
          body(repository);
        }
        if (n % 2 == 0) Collect();
        EXPECT_EQ(Names(), after);
        LoseIndex();
        Run();
        EXPECT_EQ(Names(), after);
        if (HasFailure()) return;
      }
      ASSERT_LT(n, 200);
    }
  }
};

TEST_F(Interrupted, PublishingIsAllOrNothingInTheRecordsToo) {
  Fill();
  FailEverywhere([](Repository& repository) { PublishSample(repository, "new", 5, 30, 3000); });
}

TEST_F(Interrupted, RenamingIsAllOrNothingInTheRecordsToo) {
  Fill();
  FailEverywhere([](Repository& repository) {
    repository.index().references().Rename("a", "latest", "z", "latest", 3000);
  });
}

TEST_F(Interrupted, RemovingAndReturningAreAllOrNothingInTheRecordsToo) {
  Fill();
  FailEverywhere(
      [](Repository& repository) { repository.index().references().Remove("moved", "v1", 3000); });
}

TEST_F(Interrupted, SeveralNamesAtOnceAreAllOrNothingInTheRecordsToo) {
  Fill();
  FailEverywhere([](Repository& repository) {
    const StateId state = repository.Resolve("read").state.id;
    const int64_t derivation = *repository.Resolve("read").derivation;
    repository.index().Write([&] {
      for (const char* name : {"x", "y", "z"})
        repository.index().references().Move(name, "latest", state, derivation, 3000);
    });
  });
}

TEST_F(Interrupted, GcRevivesNothingThatRmRemovedWhereverItFails) {
  Fill();
  {
    Repository repository = Open();
    // A line under two names, one of which was taken again.
    repository.index().references().Remove("there", "now", 2000);
    repository.index().references().Remove("long", "latest", 2001);
  }
  const std::vector<std::string> names = Names();
  const fs::path original = folder_.path() / "original";
  fs::rename(library_, original);
  bool finished = false;
  for (int n = 1; !finished; ++n) {
    SCOPED_TRACE(n);
    fs::remove_all(library_);
    fs::copy(original, library_, fs::copy_options::recursive);
    FaultyFileSystem files(n, true);
    try {
      Repository repository = Open(files);
      CollectGarbage(repository, {.now_ms = kYearsLater});
    } catch (const Error&) {
    }
    finished = !files.failed();
    for (const bool again : {false, true}) {
      if (again) Collect();
      LoseIndex();
      const RepairReport report = Run();
      EXPECT_THAT(report.lost, IsEmpty());
      EXPECT_EQ(Names(), names);
    }
    if (HasFailure()) return;
    ASSERT_LT(n, 200);
  }
}

}  // namespace
}  // namespace statelib::storage
