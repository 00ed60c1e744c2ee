// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/publish.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "statestore/storage/limits.h"
#include "statestore/storage/token_history.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/faulty_file_system.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

using Access = Repository::Access;

class Publishing : public testing::Test {
 protected:
  TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_.path() / "library";
  Repository repository_ = Repository::Open(path_, Access::kCreate);
};

TEST_F(Publishing, TheSameStateIsOneObjectHoweverOftenItIsStored) {
  const PublishedState first = PublishSample(repository_, "a");
  EXPECT_FALSE(first.stored_before);
  EXPECT_EQ(first.version, 1u);
  const PublishedState again = PublishSample(repository_, "a", 5, 1, 2000);
  EXPECT_TRUE(again.stored_before);
  EXPECT_TRUE(again.version_before);
  EXPECT_EQ(again.version, 1u);
  const PublishedState other_name = PublishSample(repository_, "b", 5, 1, 3000);
  EXPECT_TRUE(other_name.stored_before);
  EXPECT_FALSE(other_name.version_before);
  EXPECT_EQ(other_name.state.id, first.state.id);
  EXPECT_EQ(repository_.index().states().count(), 1u);
}

TEST_F(Publishing, AnOlderStateBecomesTheNewestVersionAgain) {
  const StateId first = PublishSample(repository_, "a", 5, 1).state.id;
  PublishSample(repository_, "a", 6, 2);
  const PublishedState third = PublishSample(repository_, "a", 5, 1);
  EXPECT_EQ(third.version, 3u);
  EXPECT_EQ(third.state.id, first);
  EXPECT_EQ(repository_.Resolve("a@2").state.history.token_count(), 6u);
}

TEST_F(Publishing, AStateIsTheSameObjectHoweverItsHistoryWasCut) {
  const std::vector<TokenId> tokens = SampleTokens(10'000, 3);
  ObjectStore& objects = repository_.objects();
  const auto whole = AppendTokens(objects, {}, tokens);
  EXPECT_EQ(whole.size(), 3u);
  for (const size_t cut : {size_t{1}, size_t{4095}, size_t{4096}, size_t{4097}, size_t{9999}}) {
    auto parts = AppendTokens(objects, {}, std::span(tokens).first(cut));
    parts = AppendTokens(objects, parts, std::span(tokens).subspan(cut));
    EXPECT_EQ(parts, whole) << cut;
  }
  EXPECT_EQ(ReadTokens(objects, whole), tokens);
  EXPECT_EQ(AppendTokens(objects, whole, {}), whole);
}

TEST_F(Publishing, StoringADamagedStateAgainRepairsIt) {
  const StateId id = PublishSample(repository_, "a", 5000, 1).state.id;
  const TokenChunk chunk = repository_.index().states().ChunksOf(id)[0];
  for (const ObjectId& object : {id, chunk.id}) {
    repository_.objects().Remove(object);
    EXPECT_EQ(Verify(repository_).problems.size(), 1u);
    PublishSample(repository_, "a", 5000, 1);
    ExpectClean(repository_);
  }
}

TEST_F(Publishing, AStateThatHoldsNoNumbersIsRefusedAndNothingIsStored) {
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    for (const size_t segment : {0, 3, 4}) {
      SampleNewState sample;
      Bytes& bytes = sample.record.segments[segment];
      StoreLittle(value, bytes.data() + bytes.size() - sizeof(float));
      ExpectError(ErrorKind::kCorrupt,
                  "NaN or infinity in " + sample.record.description.spec[segment].Label(),
                  [&] { Publish(repository_, sample.state, {}, Reference::Parse("a"), 1000); });
      ExpectError(ErrorKind::kCorrupt, "nothing was stored",
                  [&] { PublishCheckpoint(repository_, sample.state, 1000); });
    }
  }
  EXPECT_EQ(repository_.index().states().count(), 0u);
  EXPECT_EQ(Verify(repository_).unneeded_objects, 0u);
  // The largest numbers there are, and the smallest, are numbers.
  SampleNewState sample;
  StoreLittle(std::numeric_limits<float>::max(), sample.record.segments[0].data());
  StoreLittle(std::numeric_limits<float>::denorm_min(), sample.record.segments[1].data());
  Publish(repository_, sample.state, {}, Reference::Parse("a"), 1000);
  ExpectClean(repository_);
}

TEST_F(Publishing, AVersionIsNotWrittenTo) {
  PublishSample(repository_, "a");
  ExpectError(ErrorKind::kInvalidArgument, "a@1: a version cannot be written to",
              [&] { PublishSample(repository_, "a@1", 6, 2); });
}

TEST_F(Publishing, AHistoryWhoseBeginningIsGoneIsRefused) {
  const StateId base = PublishSample(repository_, "a", 5, 1).state.id;
  const StateRecord record = SampleState(8, 1);
  const std::vector<TokenId> after = SampleTokens(3, 6);
  const auto views = Views(record.segments);
  NewState state;
  state.description = record.description;
  state.description.tokens_kept = true;
  state.tokens_after = after;
  state.segments = views;
  const Reference reference = Reference::Parse("b");
  ExpectError(ErrorKind::kNotFound, "removed meanwhile: expected 8, found 3",
              [&] { Publish(repository_, state, {}, reference, 1); });
  state.chunks_before = repository_.index().states().ChunksOf(base);
  EXPECT_EQ(Publish(repository_, state, {}, reference, 1).state.history.token_count(), 8u);
  ExpectClean(repository_);
}

/// Publishes over a file system that fails at its n-th change, for every n, and expects that the
/// library then is as before or after.
void ExpectAllOrNothing(bool dead_afterwards) {
  TemporaryDirectory folder;
  const auto path = folder.path() / "library";
  {
    Repository repository = Repository::Open(path, Access::kCreate);
    PublishSample(repository, "a", 5, 1);
  }
  for (int n = 1;; ++n) {
    FaultyFileSystem files(n, dead_afterwards);
    bool thrown = false;
    {
      Repository repository = Repository::Open(path, Access::kWrite, files);
      try {
        PublishSample(repository, "a", 5000, 2);
      } catch (const Error&) {
        thrown = true;
      }
    }
    Repository repository = Repository::Open(path, Access::kWrite);
    ExpectClean(repository);
    EXPECT_EQ(repository.Resolve("a").state.history.token_count(), thrown ? 5u : 5000u) << n;
    if (!thrown) {
      EXPECT_GT(n, 15);  // three objects of at least five changes each
      break;
    }
    CollectGarbage(repository, {});
    EXPECT_TRUE(repository.objects().Temporaries().empty());
    size_t objects = 0;
    repository.objects().ForEach([&](const ObjectId&, uint64_t) { ++objects; });
    EXPECT_EQ(objects, 2u) << n;
  }
}

TEST(PublishingOverAFullDisk, IsAllOrNothingAtEveryStep) { ExpectAllOrNothing(false); }
TEST(PublishingOverACrash, IsAllOrNothingAtEveryStep) { ExpectAllOrNothing(true); }

}  // namespace
}  // namespace statelib::storage
