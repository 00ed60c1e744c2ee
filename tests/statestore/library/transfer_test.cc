// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "statestore/remote/folder_remote.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/large_state.h"
#include "tests/statestore/library/exchange_fixture.h"
#include "tests/statestore/sample_library.h"

namespace statelib::library {
namespace {

namespace fs = std::filesystem;
using storage::ExpectClean;
using storage::PublishNear;
using storage::PublishSample;
using testing::IsEmpty;

class Transfers : public ExchangeTest {
 protected:
  fs::path ObjectOnShare(const storage::ObjectId& id) {
    return share_ / "objects" / id.Hex().substr(0, 2) / id.Hex();
  }

  Library from_ = Open("from");
  Library into_ = Open("into");
};

TEST_F(Transfers, CarryStatesTheirTokensAndTheirLineage) {
  const auto id = PublishSample(from_.repository(), "a", 5000, 1).state.id;
  const PushReport pushed = PushFrom(from_, {{"a"}});
  EXPECT_EQ(pushed.objects_sent, 3u);
  const PullReport pulled = PullInto(into_);
  ASSERT_EQ(pulled.versions.size(), 1u);
  EXPECT_EQ(pulled.versions[0].reference.Text(), "a@1");
  EXPECT_EQ(pulled.versions[0].signer.known->name, "me");
  EXPECT_EQ(pulled.bytes_fetched, pushed.bytes_sent);
  EXPECT_EQ(into_.Resolve("a").state.id, id);
  ExpectClean(into_.repository());
  const auto line =
      into_.repository().index().lineage().AncestorsOf(*into_.Resolve("a").derivation, 9);
  ASSERT_EQ(line.size(), 2u);
  EXPECT_EQ(line[0].operation, storage::Operation::kImport);
}

TEST_F(Transfers, ADeltaTravelsWithItsBaseAndTheNextOneWithoutIt) {
  const auto base = PublishNear(from_.repository(), "base", 4, storage::Codec::kExact).state.id;
  PublishNear(from_.repository(), "a", 5, storage::Codec::kDelta, base);
  PublishNear(from_.repository(), "a", 6, storage::Codec::kDelta, base);
  EXPECT_EQ(PushFrom(from_, {{"a@1"}}).objects_sent, 4u);
  EXPECT_EQ(PushFrom(from_, {{"a@2"}}).objects_sent, 2u);
  PullInto(into_, {{"a"}, true});
  EXPECT_EQ(into_.Resolve("a@1").state.base, base);
  EXPECT_EQ(into_.Resolve("a@2").state.base, base);
  ExpectClean(into_.repository());
  storage::CollectGarbage(into_.repository(), {.now_ms = int64_t{1} << 42});
  ExpectClean(into_.repository());
}

TEST_F(Transfers, OnlyWhatIsMissingTravels) {
  PublishSample(from_.repository(), "a", 5000, 1);
  PublishSample(from_.repository(), "b", 5001, 1);  // shares a's first chunk of tokens
  PushFrom(from_, {{"a"}});
  const PushReport second = PushFrom(from_, {{"a", "b"}});
  EXPECT_TRUE(second.versions[0].there_before);
  EXPECT_EQ(second.objects_sent, 2u);
  EXPECT_EQ(second.objects_present, 1u);
  EXPECT_EQ(PushFrom(from_, {{"a", "b"}}).bytes_sent, 0u);
  PullInto(into_, {{"a"}});
  EXPECT_EQ(PullInto(into_, {{"b"}}).objects_fetched, 2u);
  const PullReport again = PullInto(into_);
  EXPECT_EQ(again.bytes_fetched, 0u);
  EXPECT_TRUE(again.versions[0].there_before);
  EXPECT_EQ(into_.repository().index().references().Versions("a", "latest").size(), 1u);
}

TEST_F(Transfers, ADryRunChangesNothing) {
  PublishSample(from_.repository(), "a", 5, 1);
  const PushReport plan = PushFrom(from_, {{"a"}}, {.dry_run = true});
  EXPECT_THAT(Remote()->List(), IsEmpty());
  EXPECT_EQ(PushFrom(from_, {{"a"}}).bytes_sent, plan.bytes_sent);
  const PullReport pull_plan = PullInto(into_, {}, {.dry_run = true});
  EXPECT_EQ(into_.repository().index().states().count(), 0u);
  EXPECT_EQ(PullInto(into_).bytes_fetched, pull_plan.bytes_fetched);
}

TEST_F(Transfers, VersionsPileUpAndANameThatMovedOnStays) {
  PublishSample(from_.repository(), "a", 5, 1);
  PublishSample(from_.repository(), "a", 6, 2);
  PushFrom(from_, {{"a"}, true});
  EXPECT_EQ(Remote()->List().size(), 2u);
  PullInto(into_, {{"a"}, true});
  EXPECT_EQ(into_.Resolve("a@1").state.history.token_count(), 5u);
  PublishSample(into_.repository(), "a", 7, 3);
  PullInto(into_);
  EXPECT_EQ(into_.Resolve("a").state.history.token_count(), 7u);
  PushFrom(into_, {{"a"}});
  PullInto(from_);
  EXPECT_EQ(from_.Resolve("a@3").state.history.token_count(), 7u);
  ExpectClean(from_.repository());
}

TEST_F(Transfers, NamesArePickedByPatternTagAndVersion) {
  for (const char* name : {"minutes/april", "minutes/may", "minutes/may:draft", "roof"})
    PublishSample(from_.repository(), name, 5, 1);
  PublishSample(from_.repository(), "roof", 6, 2);
  PushFrom(from_, {{"minutes/april", "minutes/may", "minutes/may:draft"}});
  PushFrom(from_, {{"roof"}, true});
  const auto versions = Remote()->List();
  const auto count = [&](const Selection& selection) {
    return SelectVersions(versions, selection, "it").size();
  };
  EXPECT_EQ(count({}), 4u);
  EXPECT_EQ(count({{}, true}), 5u);
  EXPECT_EQ(count({{"minutes*"}}), 3u);
  EXPECT_EQ(count({{"minutes*:latest"}}), 2u);
  EXPECT_EQ(count({{"roof@1"}}), 1u);
  EXPECT_EQ(SelectVersions(versions, {{"roof@1"}}, "it")[0].number, 1u);
  ExpectError(ErrorKind::kNotFound, "did you mean roof?", [&] { count({{"rooof"}}); });
  ExpectError(ErrorKind::kNotFound, "there is no roof@7", [&] { count({{"roof@7"}}); });
}

TEST_F(Transfers, UnsignedAndUnknownAreRefusedAndNothingIsFetched) {
  PublishSample(from_.repository(), "a", 5, 1);
  Push(from_, *Remote(), {{"a"}}, {});
  ExpectError(ErrorKind::kMismatch, "--allow-unsigned", [&] { PullInto(into_); });
  const SigningKey stranger = SigningKey::Create();
  PublishSample(from_.repository(), "b", 6, 2);
  PushOptions options;
  options.key = &stranger;
  Push(from_, *Remote(), {{"b"}}, options);
  ExpectError(ErrorKind::kMismatch, "--trust-signer", [&] { PullInto(into_, {{"b"}}); });
  EXPECT_FALSE(PullInto(into_, {{"b"}}, {.dry_run = true}).versions[0].signer.accepted);
  EXPECT_THAT(FileSystem::Real().List(into_.path() / "objects"), IsEmpty());
  Pull(into_, *Remote(), keys_, {{"b"}}, {false, {false, true}, {}});
  EXPECT_TRUE(keys_.Find(stranger.public_key()));
}

TEST_F(Transfers, ADamagedObjectIsNeverTaken) {
  const auto id = PublishSample(from_.repository(), "a", 5, 1).state.id;
  PushFrom(from_, {{"a"}});
  const Bytes sound = FileSystem::Real().ReadFile(ObjectOnShare(id), 1 << 24);
  for (size_t i = 0; i < sound.size(); i += 7) {
    Bytes bytes = sound;
    bytes[i] ^= std::byte{1};
    std::ofstream(ObjectOnShare(id), std::ios::binary) << AsText(bytes);
    EXPECT_THROW(PullInto(into_), Error) << i;
    EXPECT_EQ(into_.repository().index().references().List({}).size(), 0u);
    EXPECT_FALSE(into_.repository().objects().Exists(id));
  }
  std::ofstream(ObjectOnShare(id), std::ios::binary) << AsText(sound);
  PullInto(into_);
  ExpectClean(into_.repository());
}

TEST_F(Transfers, AManifestOfAnotherNameIsRefused) {
  PublishSample(from_.repository(), "a", 5, 1);
  PublishSample(from_.repository(), "b", 6, 2);
  PushFrom(from_, {{"a", "b"}});
  // Somebody who can write the share, and has no key, hands out b under a's name.
  const auto versions = Remote()->List();
  const Bytes manifest = Remote()->GetManifest(versions[1]);
  const remote::Publication lie{"a", "latest", versions[1].state, 6, manifest, 1, std::nullopt};
  ASSERT_TRUE(Remote()->Publish(std::span(&lie, 1), 1));
  ExpectError(ErrorKind::kCorrupt, "its manifest is of something else",
              [&] { PullInto(into_, {{"a"}}); });
  EXPECT_EQ(into_.repository().index().states().count(), 0u);
}

TEST_F(Transfers, LargeStatesTravelInLittleMemory) {
  const auto base = storage::PublishLarge(from_.repository(), "base");
  const auto delta = storage::PublishLarge(from_.repository(), "delta", base);
  storage::ExpectLittleMemory("push", [&] { PushFrom(from_, {{"base", "delta"}}); });
  storage::ExpectLittleMemory("pull", [&] { PullInto(into_); });
  EXPECT_EQ(into_.Resolve("delta").state.id, delta);
  EXPECT_EQ(into_.Resolve("delta").state.base, base);
}

TEST_F(Transfers, PushesAtOnceLoseNothing) {
  constexpr int kWriters = 4;
  std::vector<std::thread> threads;
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([this, i] {
      Library library = Open(fmt::format("writer{}", i));
      for (unsigned version = 0; version < 4; ++version) {
        PublishSample(library.repository(), "shared", 5 + version, 100u * (i + 1) + 10 * version);
        PushOptions options;
        options.force = true;  // none has had what the others push
        Push(library, *Remote(), {{"shared"}}, options);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Remote()->List().size(), 16u);
  Pull(into_, *Remote(), keys_, {{}, true}, {.policy = {true, false}, .control = {}});
  EXPECT_EQ(into_.repository().index().references().Versions("shared", "latest").size(), 16u);
  ExpectClean(into_.repository());
}

}  // namespace
}  // namespace statelib::library
