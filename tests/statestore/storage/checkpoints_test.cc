// SPDX-License-Identifier: Apache-2.0
// Checkpoints in the index, in publishing, in gc and under a budget.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "statestore/storage/index_checkpoints.h"
#include "tests/statestore/faulty_file_system.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A state of the tokens 1, 2, … that goes on from `prefix`, as a checkpoint or under a name.
struct Sample {
  explicit Sample(uint64_t token_count, std::optional<StateId> prefix = {})
      : record(SampleState(token_count, 1)),
        tokens(SampleTokens(token_count, 1)),
        views(Views(record.segments)) {
    state.description = record.description;
    state.description.tokens_kept = true;
    state.tokens = tokens;
    state.tokens_after = tokens;
    state.segments = views;
    state.model_name = "sample";
    state.prefix = prefix;
  }
  StateRecord record;
  std::vector<TokenId> tokens;
  std::vector<ByteSpan> views;
  NewState state;
};

class Checkpoints : public testing::Test {
 protected:
  StateRow Leave(uint64_t token_count, std::optional<StateId> prefix = {}, int64_t now_ms = 1000) {
    return PublishCheckpoint(repository_, Sample(token_count, prefix).state, now_ms);
  }
  StateRow Name(const std::string& name, uint64_t token_count, std::optional<StateId> prefix = {}) {
    return Publish(repository_, Sample(token_count, prefix).state, {}, Reference::Parse(name), 1000)
        .state;
  }
  std::vector<uint64_t> Lengths() {
    std::vector<uint64_t> lengths;
    for (const CheckpointRow& row : index().checkpoints().List({}))
      lengths.push_back(row.state.history.token_count());
    return lengths;
  }
  Index& index() { return repository_.index(); }

  TemporaryDirectory folder_;
  Repository repository_ =
      Repository::Open(folder_.path() / "library", Repository::Access::kCreate);
};

TEST_F(Checkpoints, ArePartOfTheLibraryWithoutAName) {
  const StateRow row = Leave(5);
  EXPECT_TRUE(index().references().List({}).empty());
  const auto found = index().checkpoints().Find(row.id);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->unfinished);
  EXPECT_FALSE(found->named);
  EXPECT_EQ(found->made_at_ms, 1000);
  EXPECT_EQ(repository_.Resolve(row.id.Hex()).state.id, row.id);
  const CheckpointUsage usage = index().checkpoints().Usage();
  EXPECT_EQ(usage.checkpoints, 1u);
  EXPECT_EQ(usage.stored_bytes, row.stored_bytes);
  EXPECT_EQ(usage.budget_bytes, kCheckpointBudgetBytes);
  ExpectClean(repository_);
}

TEST_F(Checkpoints, GcKeepsThoseThatANamedStateWasComputedFrom) {
  const StateRow first = Leave(5);
  const StateRow second = Leave(6, first.id);
  Name("a", 7, second.id);
  EXPECT_FALSE(index().checkpoints().Find(first.id)->unfinished);
  const int64_t years_later = int64_t{1} << 42;
  EXPECT_THAT(CollectGarbage(repository_, {.now_ms = years_later}).states, IsEmpty());
  EXPECT_THAT(Lengths(), ElementsAre(6, 5));
  index().references().Remove("a", "latest", 1);
  EXPECT_EQ(CollectGarbage(repository_, {.now_ms = 1001}).states.size(), 3u);
  EXPECT_THAT(Lengths(), IsEmpty());
  ExpectClean(repository_);
}

TEST_F(Checkpoints, GcKeepsThoseOfACutOffIngestForAWeek) {
  Leave(5);
  EXPECT_THAT(CollectGarbage(repository_, {.now_ms = 1000 + kUnfinishedKeptMs - 1}).states,
              IsEmpty());
  EXPECT_EQ(CollectGarbage(repository_, {.now_ms = 1000 + kUnfinishedKeptMs}).states.size(), 1u);
}

TEST_F(Checkpoints, WhatGoesLeavesItsPrefixToWhatWasComputedFromIt) {
  const StateRow first = Leave(5);
  const StateRow second = Name("b", 6, first.id);
  Name("a", 7, second.id);
  index().references().Remove("b", "latest", 1);
  const GarbageReport report = CollectGarbage(repository_, {.now_ms = int64_t{1} << 42});
  ASSERT_EQ(report.states.size(), 1u);
  EXPECT_EQ(report.states[0].id, second.id);
  EXPECT_THAT(Lengths(), ElementsAre(5));
  EXPECT_EQ(index().checkpoints().List(repository_.Resolve("a").state.id).size(), 1u);
  ExpectClean(repository_);
}

TEST_F(Checkpoints, AreThinnedToTheBudgetWithTheirFiles) {
  std::optional<StateId> last;
  uint64_t bytes = 0;
  for (uint64_t tokens = 5; tokens < 25; ++tokens) {
    const StateRow row = Leave(tokens, last);
    last = row.id;
    bytes = row.stored_bytes;
  }
  Name("a", 25, last);
  index().checkpoints().SetBudget(bytes * 10 + 100);
  EXPECT_EQ(CollectGarbage(repository_, {.dry_run = true}).thinned.size(), 10u);
  EXPECT_EQ(Lengths().size(), 20u);
  ThinCheckpoints(repository_);
  EXPECT_EQ(Lengths().size(), 9u);
  EXPECT_EQ(Lengths().front(), 24u);
  EXPECT_LE(index().checkpoints().Usage().stored_bytes, bytes * 9 + 90);
  EXPECT_EQ(CollectGarbage(repository_, {.dry_run = true}).objects, 0u);
  ExpectClean(repository_);
  index().checkpoints().SetBudget(0);
  EXPECT_EQ(CollectGarbage(repository_, {}).thinned.size(), 9u);
  EXPECT_NO_THROW(repository_.Resolve("a"));
  ExpectClean(repository_);
}

TEST_F(Checkpoints, ThinningLeavesEverythingWhileSomebodyUsesTheLibrary) {
  Leave(5);
  index().checkpoints().SetBudget(0);
  {
    const Lease lease = repository_.ReadLease();
    ThinCheckpoints(repository_);
  }
  EXPECT_EQ(Lengths().size(), 1u);
  ThinCheckpoints(repository_);
  EXPECT_THAT(Lengths(), IsEmpty());
}

TEST_F(Checkpoints, ThatHaveANameTakeNothingOfTheBudget) {
  const StateRow row = Leave(5);
  Name("a", 5);
  EXPECT_TRUE(index().checkpoints().Find(row.id)->named);
  EXPECT_EQ(index().checkpoints().Usage().stored_bytes, 0u);
  index().checkpoints().SetBudget(0);
  EXPECT_THAT(CollectGarbage(repository_, {}).thinned, IsEmpty());
  EXPECT_NO_THROW(repository_.Resolve("a"));
}

TEST_F(Checkpoints, LengthsAreThoseOfOneModelAndProfileOnceEach) {
  Leave(5);
  Leave(9);
  PublishSample(repository_, "other", 9, 3);
  const StateRow like = Leave(7);
  EXPECT_THAT(index().states().Lengths(like.model, like.profile, 100, 0), ElementsAre(9, 7, 5));
  EXPECT_THAT(index().states().Lengths(like.model, like.profile, 8, 5), ElementsAre(7));
  EXPECT_THAT(index().states().Lengths(like.model, "another", 100, 0), IsEmpty());
}

/// Leaves two checkpoints and the state that goes on from them over a file system that fails at its
/// n-th change, for every n.
void ExpectSoundAtEveryStep(bool dead_afterwards) {
  TemporaryDirectory folder;
  const auto path = folder.path() / "library";
  {
    Repository repository = Repository::Open(path, Repository::Access::kCreate);
    PublishSample(repository, "kept", 5, 77);
    repository.index().checkpoints().SetBudget(1);  // so that each is thinned by the next
  }
  for (int n = 1;; ++n) {
    FaultyFileSystem files(n, dead_afterwards);
    bool thrown = false;
    {
      Repository repository = Repository::Open(path, Repository::Access::kWrite, files);
      try {
        const StateRow first = PublishCheckpoint(repository, Sample(4096).state, 1000);
        ThinCheckpoints(repository);
        const StateRow second = PublishCheckpoint(repository, Sample(5000, first.id).state, 1000);
        ThinCheckpoints(repository);
        Publish(repository, Sample(6000, second.id).state, {}, Reference::Parse("a"), 1000);
      } catch (const Error&) {
        thrown = true;
      }
    }
    Repository repository = Repository::Open(path, Repository::Access::kWrite);
    ExpectClean(repository);
    EXPECT_NO_THROW(repository.Resolve("kept"));
    EXPECT_EQ(repository.index().references().Find("a", "latest").has_value(), !thrown) << n;
    CollectGarbage(repository, {.now_ms = int64_t{1} << 42});
    ExpectClean(repository);
    size_t objects = 0;
    repository.objects().ForEach([&](const ObjectId&, uint64_t) { ++objects; });
    EXPECT_EQ(objects, thrown ? 2u : 5u) << n;
    if (!thrown) {
      EXPECT_GT(n, 25);
      break;
    }
  }
}

TEST(CheckpointsOverAFullDisk, LeaveTheLibrarySoundAtEveryStep) { ExpectSoundAtEveryStep(false); }
TEST(CheckpointsOverACrash, LeaveTheLibrarySoundAtEveryStep) { ExpectSoundAtEveryStep(true); }

}  // namespace
}  // namespace statelib::storage
