// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/maintenance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/statestore/expect_error.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Maintenance : public testing::Test {
 protected:
  size_t CountObjects() {
    size_t objects = 0;
    repository_.objects().ForEach([&](const ObjectId&, uint64_t) { ++objects; });
    return objects;
  }
  void FlipByte(const std::filesystem::path& path, std::streamoff offset) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(offset);
    file.put(byte);
  }

  TemporaryDirectory folder_;
  Repository repository_ =
      Repository::Open(folder_.path() / "library", Repository::Access::kCreate);
};

TEST_F(Maintenance, GcKeepsEveryVersionOfEveryName) {
  PublishSample(repository_, "a", 5, 1);
  PublishSample(repository_, "a", 6, 2);
  const GarbageReport report = CollectGarbage(repository_, {});
  EXPECT_THAT(report.states, IsEmpty());
  EXPECT_EQ(report.objects, 0u);
  EXPECT_EQ(report.derivations, 0);
  EXPECT_EQ(CountObjects(), 4u);
}

TEST_F(Maintenance, GcRemovesWhatNothingLeadsToAndADryRunOnlySaysIt) {
  const StateId gone = PublishSample(repository_, "a", 5, 1).state.id;
  PublishSample(repository_, "b", 6, 2);
  repository_.index().references().Remove("a", "latest", 1);
  folder_.Write("library/tmp/left.1.2", "half");
  for (const bool dry_run : {true, false}) {
    const GarbageReport report = CollectGarbage(repository_, {.dry_run = dry_run});
    ASSERT_EQ(report.states.size(), 1u);
    EXPECT_EQ(report.states[0].id, gone);
    EXPECT_EQ(report.objects, 2u);
    EXPECT_GT(report.object_bytes, 500u);
    EXPECT_EQ(report.derivations, 1);
    EXPECT_EQ(report.temporaries, 1u);
    EXPECT_EQ(CountObjects(), dry_run ? 4u : 2u);
    EXPECT_EQ(repository_.index().states().Find(gone).has_value(), dry_run);
  }
  ExpectClean(repository_);
  EXPECT_EQ(CollectGarbage(repository_, {}).objects, 0u);
}

TEST_F(Maintenance, GcKeepsWhatLostItsLastNameWithinTheGracePeriod) {
  PublishSample(repository_, "a", 5, 1);
  repository_.index().references().Remove("a", "latest", 5000);
  GarbageReport report = CollectGarbage(repository_, {.now_ms = 5999, .grace_ms = 1000});
  EXPECT_THAT(report.states, IsEmpty());
  EXPECT_EQ(report.waiting, 1u);
  report = CollectGarbage(repository_, {.now_ms = 6000, .grace_ms = 1000});
  EXPECT_EQ(report.states.size(), 1u);
  EXPECT_EQ(report.waiting, 0u);
}

TEST_F(Maintenance, GcKeepsTokensThatAnotherStateShares) {
  PublishSample(repository_, "a", 4096, 1);
  PublishSample(repository_, "b", 5000, 1);  // begins with the same 4096 tokens
  EXPECT_EQ(CountObjects(), 4u);
  repository_.index().references().Remove("a", "latest", 1);
  CollectGarbage(repository_, {});
  EXPECT_EQ(CountObjects(), 3u);
  ExpectClean(repository_);
}

TEST_F(Maintenance, VerifySaysWhatItRead) {
  PublishSample(repository_, "a", 5000, 1);
  PublishSample(repository_, "b", 6, 2);
  const VerifyReport report = Verify(repository_);
  EXPECT_EQ(report.states, 2u);
  EXPECT_EQ(report.tokens_objects, 3u);
  EXPECT_EQ(report.references, 2u);
  EXPECT_GT(report.bytes_read, 1000u);
  EXPECT_EQ(report.unneeded_objects, 0u);
  EXPECT_THAT(report.problems, IsEmpty());
}

TEST_F(Maintenance, VerifyNamesADamagedOrMissingObjectAndWhatItAffects) {
  const StateId state = PublishSample(repository_, "a", 5, 1).state.id;
  PublishSample(repository_, "b:old", 5, 1);
  PublishSample(repository_, "c", 6, 2);
  FlipByte(repository_.objects().PathOf(state), 100);
  VerifyReport report = Verify(repository_);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_THAT(report.problems[0].what, HasSubstr("damaged object"));
  EXPECT_THAT(report.problems[0].affects, ElementsAre("a:latest@1", "b:old@1"));
  repository_.objects().Remove(state);
  report = Verify(repository_);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_THAT(report.problems[0].what,
              HasSubstr("the object is missing: expected a file, found nothing"));
}

TEST_F(Maintenance, VerifyFindsDamagedTokens) {
  const StateId state = PublishSample(repository_, "a", 5, 1).state.id;
  FlipByte(repository_.objects().PathOf(repository_.index().states().ChunksOf(state)[0].id), 60);
  const VerifyReport report = Verify(repository_);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_THAT(report.problems[0].affects, ElementsAre("a:latest@1"));
}

TEST_F(Maintenance, VerifyFindsAnIndexThatSaysSomethingElse) {
  PublishSample(repository_, "a", 5, 1);
  Database database = Database::Open(repository_.path() / "index.db", Database::Mode::kWrite);
  database.Execute("UPDATE states SET raw_bytes = 6");
  const VerifyReport report = Verify(repository_);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_THAT(report.problems[0].what, HasSubstr("the index says something else"));
}

TEST_F(Maintenance, VerifyFindsRowsThatReferToNothing) {
  PublishSample(repository_, "a", 5, 1);
  Database database = Database::Open(repository_.path() / "index.db", Database::Mode::kWrite);
  database.Execute("PRAGMA foreign_keys = OFF; DELETE FROM models");
  const VerifyReport report = Verify(repository_);
  ASSERT_EQ(report.problems.size(), 1u);
  EXPECT_THAT(report.problems[0].what, HasSubstr("refers to a row of models"));
}

TEST_F(Maintenance, VerifyReportsAnIndexWithDamagedPages) {
  TemporaryDirectory other;
  const auto path = other.path() / "library";
  {
    Repository made = Repository::Open(path, Repository::Access::kCreate);
    for (unsigned i = 1; i < 20; ++i) PublishSample(made, "n" + std::to_string(i), 5, i);
  }
  // The first of every table but that of the identity, so that it can still be opened.
  std::vector<int64_t> pages;
  {
    const Database index = Database::Open(path / "index.db", Database::Mode::kRead);
    Statement tables = index.Prepare(
        "SELECT rootpage FROM sqlite_schema WHERE rootpage > 0 AND tbl_name <> 'settings'");
    while (tables.Step()) pages.push_back(tables.Int(0));
  }
  std::fstream file(path / "index.db", std::ios::in | std::ios::out | std::ios::binary);
  for (const int64_t page : pages) {
    file.seekp((page - 1) * 4096);
    file << std::string(64, '\xa5');
  }
  file.close();
  const Repository damaged = Repository::Open(path, Repository::Access::kRead);
  const VerifyReport report = Verify(damaged);
  ASSERT_FALSE(report.problems.empty());
  EXPECT_THAT(report.problems[0].what, HasSubstr("index.db"));
  ExpectError(ErrorKind::kCorrupt, "index.db: the index is damaged",
              [&] { damaged.Resolve("n1"); });
}

TEST_F(Maintenance, StrangersAreNamedAndLeftAlone) {
  PublishSample(repository_, "a", 5, 1);
  const auto stranger = folder_.Write("library/objects/ab/readme.txt", "x");
  EXPECT_THAT(Verify(repository_).strangers, ElementsAre(stranger.string()));
  CollectGarbage(repository_, {});
  EXPECT_TRUE(std::filesystem::exists(stranger));
}

}  // namespace
}  // namespace statelib::storage
