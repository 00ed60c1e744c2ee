// SPDX-License-Identifier: Apache-2.0
// States that a library stores as differences to others: in publishing, in gc, in verify and in
// bundles.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "statestore/storage/bundle.h"
#include "statestore/storage/state_object.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

using Access = Repository::Access;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr int64_t kYearsLater = int64_t{1} << 42;

class Deltas : public testing::Test {
 protected:
  /// A state near those of the same seed, computed from `prefix`.
  PublishedState Name(const std::string& name, uint64_t token_count, Codec codec,
                      std::optional<StateId> prefix = {}, unsigned seed = 1) {
    return PublishNear(repository_, name, token_count, codec, prefix, seed);
  }
  StateRow Leave(uint64_t token_count) {
    SampleNewState sample(SampleStateNear(token_count), 1);
    return PublishCheckpoint(repository_, sample.state, 1000);
  }
  void Forget(const std::string& name) { index().references().Remove(name, "latest", 1000); }
  GarbageReport Collect() { return CollectGarbage(repository_, {.now_ms = kYearsLater}); }
  void Damage(const StateId& id) {
    std::ofstream(repository_.objects().PathOf(id), std::ios::app) << "x";
  }
  Bytes SegmentOf(const Repository& repository, const std::string& name, size_t i) {
    const StateId id = repository.Resolve(name).state.id;
    return DecodeState(repository.objects().Get(id), name, FileHash::kChecked,
                       repository.objects().Getter())
        .segments[i];
  }
  Index& index() { return repository_.index(); }

  TemporaryDirectory folder_;
  Repository repository_ = Repository::Open(folder_.path() / "library", Access::kCreate);
};

TEST_F(Deltas, AreSmallerAndHoldTheSameBits) {
  const PublishedState base = Name("base", 5, Codec::kExact);
  const PublishedState delta = Name("a", 6, Codec::kDelta, base.state.id);
  ASSERT_TRUE(delta.delta);
  EXPECT_TRUE(delta.delta->used);
  EXPECT_EQ(delta.delta->base, base.state.id);
  EXPECT_EQ(delta.delta->delta_bytes, delta.state.stored_bytes);
  EXPECT_LT(delta.delta->delta_bytes, delta.delta->exact_bytes);
  EXPECT_EQ(repository_.Resolve("a").state.base, base.state.id);
  EXPECT_EQ(index().references().Find("a", "latest")->state.base, base.state.id);
  EXPECT_EQ(SegmentOf(repository_, "a", 1), SampleStateNear(6).segments[1]);
  ExpectClean(repository_);
}

TEST_F(Deltas, AreDifferencesToTheNearestStateThatIsNone) {
  const StateId whole = Name("whole", 4, Codec::kExact).state.id;
  const StateId first = Name("first", 5, Codec::kDelta, whole).state.id;
  EXPECT_EQ(Name("second", 6, Codec::kDelta, first).state.base, whole);
  ExpectClean(repository_);
}

TEST_F(Deltas, WithoutABaseOrAGainAreStoredAsExact) {
  const PublishedState alone = Name("alone", 5, Codec::kDelta);
  EXPECT_FALSE(alone.delta->used);
  EXPECT_FALSE(alone.delta->base);
  EXPECT_EQ(alone.delta->exact_bytes, alone.state.stored_bytes);
  EXPECT_FALSE(alone.state.base);
  const PublishedState far = Name("far", 6, Codec::kDelta, alone.state.id, 77);
  EXPECT_FALSE(far.delta->used);
  EXPECT_EQ(far.delta->base, alone.state.id);
  EXPECT_GT(far.delta->delta_bytes * 100, far.delta->exact_bytes * 99);
  EXPECT_FALSE(far.state.base);
  ExpectClean(repository_);
}

TEST_F(Deltas, TakeNoBaseOfAnotherProfileOrThatTellsMoreThanTheyDo) {
  const StateId base = Name("base", 5, Codec::kExact).state.id;
  SampleNewState other(SampleStateNear(6), 1);
  other.state.codec = Codec::kDelta;
  other.state.prefix = base;
  other.state.description.profile = "another";
  EXPECT_FALSE(Publish(repository_, other.state, {}, Reference::Parse("other"), 1000).delta->base);
  SampleNewState secret(SampleStateNear(6), 1);
  secret.state.codec = Codec::kDelta;
  secret.state.prefix = base;
  secret.state.description.tokens_kept = false;
  EXPECT_FALSE(
      Publish(repository_, secret.state, {}, Reference::Parse("secret"), 1000).delta->base);
}

TEST_F(Deltas, TakeNoDamagedBase) {
  const StateId base = Name("base", 5, Codec::kExact).state.id;
  Damage(base);
  EXPECT_FALSE(Name("a", 6, Codec::kDelta, base).delta->base);
}

TEST_F(Deltas, StoredAgainAreTheSame) {
  const StateId base = Name("base", 5, Codec::kExact).state.id;
  const PublishedState first = Name("a", 6, Codec::kDelta, base);
  const PublishedState again = Name("a", 6, Codec::kDelta, base);
  EXPECT_TRUE(again.version_before);
  EXPECT_EQ(again.state.id, first.state.id);
  EXPECT_EQ(again.delta->delta_bytes, first.delta->delta_bytes);
  // A state that is asked for as exact need not be stored twice, and a delta is not made of one
  // that gains nothing.
  EXPECT_EQ(Name("b", 6, Codec::kExact, base).state.id, first.state.id);
  EXPECT_EQ(Name("base", 5, Codec::kDelta).state.id, base);
}

TEST_F(Deltas, AreStoredWholeWhereThatIsAskedFor) {
  const StateId base = Name("base", 5, Codec::kExact).state.id;
  const StateId delta = Name("a", 6, Codec::kDelta, base).state.id;
  SampleNewState sample(SampleStateNear(6), 1);
  sample.state.whole = true;
  sample.state.prefix = delta;
  const StateRow whole = Publish(repository_, sample.state, {}, Reference::Parse("a"), 1000).state;
  EXPECT_NE(whole.id, delta);
  EXPECT_FALSE(whole.base);
  EXPECT_EQ(whole.content, repository_.Resolve("a@1").state.content);
  EXPECT_EQ(repository_.Resolve("a").reference->version, 2u);
}

TEST_F(Deltas, KeepTheirBaseThroughGcAsLongAsTheyAreNeeded) {
  const StateId base = Name("base", 5, Codec::kExact).state.id;
  const StateId delta = Name("a", 6, Codec::kDelta, base).state.id;
  Forget("base");
  EXPECT_THAT(Collect().states, IsEmpty());
  EXPECT_EQ(SegmentOf(repository_, "a", 1), SampleStateNear(6).segments[1]);
  ExpectClean(repository_);
  Forget("a");
  // Within the grace period the delta stays, and its base with it.
  EXPECT_THAT(CollectGarbage(repository_, {.now_ms = 1001, .grace_ms = 1000}).states, IsEmpty());
  EXPECT_EQ(CollectGarbage(repository_, {.dry_run = true, .now_ms = kYearsLater}).states.size(),
            2u);
  std::vector<StateId> gone;
  for (const StateRow& row : Collect().states) gone.push_back(row.id);
  EXPECT_THAT(gone, UnorderedElementsAre(base, delta));
  EXPECT_EQ(index().states().count(), 0u);
  ExpectClean(repository_);
}

TEST_F(Deltas, KeepACheckpointThroughThinningAndItTakesNothingOfTheBudget) {
  const StateRow base = Leave(5);
  Name("a", 6, Codec::kDelta, base.id);
  EXPECT_EQ(index().checkpoints().Usage().stored_bytes, 0u);
  index().checkpoints().SetBudget(0);
  ThinCheckpoints(repository_);
  EXPECT_THAT(Collect().thinned, IsEmpty());
  EXPECT_EQ(SegmentOf(repository_, "a", 1), SampleStateNear(6).segments[1]);
  Forget("a");
  Collect();
  EXPECT_EQ(index().states().count(), 0u);
  ExpectClean(repository_);
}

TEST_F(Deltas, ABaseCannotBeTakenOutOfTheIndexAlone) {
  const StateId base = Name("base", 5, Codec::kExact).state.id;
  Name("a", 6, Codec::kDelta, base);
  Forget("base");
  EXPECT_THROW(index().Write([&] { index().states().Remove(base); }), Error);
  EXPECT_TRUE(index().states().Find(base));
}

TEST_F(Deltas, VerifyNamesThoseThatAMissingOrDamagedBaseAffects) {
  const StateId base = Name("base", 5, Codec::kExact).state.id;
  Name("a", 6, Codec::kDelta, base);
  Damage(base);
  VerifyReport report = Verify(repository_);
  ASSERT_EQ(report.problems.size(), 2u);
  EXPECT_THAT(report.problems[0].what + report.problems[1].what, HasSubstr("damaged object"));
  std::filesystem::remove(repository_.objects().PathOf(base));
  report = Verify(repository_);
  ASSERT_EQ(report.problems.size(), 2u);
  for (const Problem& problem : report.problems) {
    const bool of_the_delta = problem.affects == std::vector<std::string>{"a:latest@1"};
    EXPECT_EQ(of_the_delta, problem.what.find("its base") != std::string::npos) << problem.what;
  }
}

TEST_F(Deltas, WhoseBaseIsDamagedAreRepairedByStoringThemAgain) {
  const StateId base = Name("base", 5, Codec::kExact).state.id;
  Name("a", 6, Codec::kDelta, base);
  Damage(base);
  EXPECT_FALSE(Name("a", 6, Codec::kExact, base).state.base);
  EXPECT_EQ(SegmentOf(repository_, "a", 1), SampleStateNear(6).segments[1]);
}

TEST_F(Deltas, ThatTheIndexKnowsUnderAnotherBaseAreFoundByVerify) {
  const StateId base = Name("base", 5, Codec::kExact).state.id;
  const StateRow row = Name("a", 6, Codec::kDelta, base).state;
  Forget("a");
  index().Write([&] {
    index().states().Remove(row.id);
    StateRow wrong = row;
    wrong.base.reset();
    index().states().Add(wrong, index().states().ChunksOf(row.id));
  });
  ASSERT_EQ(Verify(repository_).problems.size(), 1u);
}

TEST_F(Deltas, KeepThePrefixOfTheStateThatTheyWereMadeOf) {
  const StateRow checkpoint = Leave(4);
  const StateId exact = Name("a", 6, Codec::kExact, checkpoint.id).state.id;
  const StateId delta = Name("a", 6, Codec::kDelta, exact).state.id;
  EXPECT_NE(delta, exact);
  const auto path = index().checkpoints().List(delta);
  ASSERT_EQ(path.size(), 1u);
  EXPECT_EQ(path[0].state.id, checkpoint.id);
}

// ------------------------------------------------------------------------------ in bundles

class DeltaBundles : public Deltas {
 protected:
  DeltaBundles() {
    base_ = Name("base", 5, Codec::kExact).state.id;
    delta_ = Name("a", 6, Codec::kDelta, base_).state.id;
    Forget("base");
  }
  ExportReport Export(const ExportOptions& options = {}) {
    const ResolvedState state = repository_.Resolve("a");
    return ExportBundle(repository_, std::span(&state, 1), FileSystem::Real(), file_, options);
  }
  ImportReport Import() {
    BundleFile bundle = BundleFile::Open(file_);
    return ImportBundle(into_, bundle, "bundle", {}, 9000);
  }
  void ExpectArrived() {
    ExpectClean(into_);
    EXPECT_EQ(SegmentOf(into_, "a", 1), SampleStateNear(6).segments[1]);
    CollectGarbage(into_, {.now_ms = kYearsLater});
    ExpectClean(into_);
    EXPECT_EQ(SegmentOf(into_, "a", 1), SampleStateNear(6).segments[1]);
  }

  StateId base_;
  StateId delta_;
  std::filesystem::path file_ = folder_.path() / "states.slb";
  Repository into_ = Repository::Open(folder_.path() / "into", Access::kCreate);
};

TEST_F(DeltaBundles, CarryTheBaseWithoutAName) {
  EXPECT_EQ(Export().objects, 4u);  // two states and what each has read
  EXPECT_EQ(Import().references.size(), 1u);
  EXPECT_EQ(into_.Resolve("a").state.id, delta_);
  EXPECT_EQ(into_.Resolve("a").state.base, base_);
  EXPECT_EQ(into_.index().states().count(), 2u);
  ExpectArrived();
  EXPECT_EQ(Import().objects_added, 0u);
}

TEST_F(DeltaBundles, WithoutTokensCarryTheBaseWithoutThemToo) {
  EXPECT_EQ(Export({{.tokens = false}, nullptr, {}}).objects, 2u);
  Import();
  EXPECT_FALSE(into_.index().states().Find(*into_.Resolve("a").state.base)->tokens_kept);
  ExpectArrived();
}

TEST_F(DeltaBundles, BringABaseThatIsHereAlready) {
  PublishNear(into_, "mine", 5, Codec::kExact);
  Export();
  EXPECT_EQ(Import().objects_added, 2u);
  ExpectArrived();
  EXPECT_EQ(into_.index().states().count(), 2u);
}

TEST_F(DeltaBundles, AreNotNeededWhereTheStateIsHereOtherwiseStored) {
  const StateId mine = PublishNear(into_, "mine", 6, Codec::kExact).state.id;
  Export();
  EXPECT_EQ(Import().objects_added, 0u);
  EXPECT_EQ(into_.Resolve("a").state.id, mine);
}

TEST_F(DeltaBundles, WithoutTheBaseAreRefused) {
  Export();
  BundleFile bundle = BundleFile::Open(file_);
  BundleManifest manifest = bundle.manifest();
  Bytes objects;
  std::erase_if(manifest.objects, [&](const auto& object) { return object.id == base_; });
  for (const BundleManifest::Object& object : manifest.objects) {
    const Bytes bytes = repository_.objects().Get(object.id);
    objects.insert(objects.end(), bytes.begin(), bytes.end());
  }
  Bytes file = EncodeManifest(manifest, nullptr);
  file.insert(file.end(), objects.begin(), objects.end());
  const Digest digest = HashOf(file);
  file.insert(file.end(), digest.bytes.begin(), digest.bytes.end());
  std::ofstream(file_, std::ios::binary | std::ios::trunc) << AsText(file);
  ExpectError(ErrorKind::kCorrupt, "its base " + base_.ShortHex() + " is missing",
              [&] { Import(); });
  EXPECT_EQ(into_.index().states().count(), 0u);
}

}  // namespace
}  // namespace statelib::storage
