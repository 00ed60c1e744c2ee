// SPDX-License-Identifier: Apache-2.0
#include "statestore/remote/folder_remote.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "statestore/storage/manifest.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/faulty_file_system.h"
#include "tests/temporary_directory.h"

namespace statelib::remote {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

TransferObject ObjectOf(std::string_view text) { return {HashOf(AsBytes(text)), text.size()}; }

Publication PublicationOf(const std::string& name, std::string_view state,
                          std::optional<std::string_view> had = {}) {
  Publication publication;
  publication.name = name;
  publication.tag = "latest";
  publication.state = HashOf(AsBytes(state));
  const Bytes manifest = storage::EncodeManifest({}, nullptr);
  publication.manifest = manifest;
  if (had) publication.had->push_back(HashOf(AsBytes(*had)));
  return publication;
}

class FolderRemotes : public testing::Test {
 protected:
  FolderRemotes() { fs::create_directories(folder_); }
  std::unique_ptr<Remote> Open(FileSystem& files = FileSystem::Real()) {
    return OpenFolderRemote(folder_, files);
  }
  bool Publish(Remote& remote, const Publication& publication) {
    return remote.Publish(std::span(&publication, 1), 7);
  }
  std::string Got(Remote& remote, const TransferObject& object, uint64_t offset = 0) {
    std::string text;
    remote.GetObject(object, offset, [&](ByteSpan bytes) { text += AsText(bytes); });
    return text;
  }

  TemporaryDirectory directory_;
  fs::path folder_ = directory_.path() / "share";
};

TEST_F(FolderRemotes, HoldNothingAtFirst) { EXPECT_THAT(Open()->List(), IsEmpty()); }

TEST_F(FolderRemotes, KeepObjectsAndHandThemOutFromAnyPlace) {
  const auto remote = Open();
  const TransferObject object = ObjectOf("the bytes of an object");
  const TransferObject other = ObjectOf("of another");
  EXPECT_THAT(remote->HasObjects(std::vector{object, other}), ElementsAre(false, false));
  remote->PutObject(object, MemorySource(AsBytes("the bytes of an object")));
  EXPECT_THAT(remote->HasObjects(std::vector{object, other}), ElementsAre(true, false));
  EXPECT_EQ(Got(*remote, object), "the bytes of an object");
  EXPECT_EQ(Got(*remote, object, 16), "object");
  EXPECT_EQ(Got(*remote, object, object.size_bytes), "");
  ExpectError(ErrorKind::kNotFound, other.id.Hex(), [&] { Got(*remote, other); });
}

TEST_F(FolderRemotes, TakeNoObjectUnderAWrongName) {
  const auto remote = Open();
  ExpectError(ErrorKind::kCorrupt, "its bytes are others",
              [&] { remote->PutObject(ObjectOf("a"), MemorySource(AsBytes("b"))); });
  EXPECT_THAT(remote->HasObjects(std::vector{ObjectOf("a")}), ElementsAre(false));
}

TEST_F(FolderRemotes, ShowWhatWasPublished) {
  const auto remote = Open();
  ASSERT_TRUE(Publish(*remote, PublicationOf("b", "b1")));
  ASSERT_TRUE(Publish(*remote, PublicationOf("a", "a1")));
  ASSERT_TRUE(Publish(*remote, PublicationOf("a", "a2", "a1")));
  const std::vector<RemoteVersion> versions = Open()->List();
  ASSERT_EQ(versions.size(), 3u);
  EXPECT_EQ(versions[0].name, "a");
  EXPECT_EQ(versions[0].number, 1u);
  EXPECT_EQ(versions[1].state, HashOf(AsBytes("a2")));
  EXPECT_EQ(versions[1].number, 2u);
  EXPECT_EQ(versions[2].name, "b");
  EXPECT_EQ(remote->GetManifest(versions[2]), storage::EncodeManifest({}, nullptr));
  EXPECT_EQ(NewestOf(versions, "a", "latest")->number, 2u);
  EXPECT_EQ(NewestOf(versions, "a", "other"), nullptr);
}

TEST_F(FolderRemotes, GoOnOnlyFromAVersionThatThePublisherHasHad) {
  const auto remote = Open();
  ASSERT_TRUE(Publish(*remote, PublicationOf("a", "a1")));
  for (const auto& had : {std::optional<std::string_view>(), std::optional<std::string_view>("x")})
    ExpectError(ErrorKind::kMismatch, "a@1 there",
                [&] { Publish(*remote, PublicationOf("a", "a2", had)); });
  // All or nothing.
  const std::vector<Publication> both = {PublicationOf("c", "c1"), PublicationOf("a", "a2", "no")};
  ExpectError(ErrorKind::kMismatch, "--force", [&] { remote->Publish(both, 7); });
  EXPECT_EQ(remote->List().size(), 1u);
  ASSERT_TRUE(Publish(*remote, PublicationOf("a", "a2", "a1")));
  // a1 is no longer the newest.
  ExpectError(ErrorKind::kMismatch, "a@2 there",
              [&] { Publish(*remote, PublicationOf("a", "a3", "a1")); });
  Publication forced = PublicationOf("a", "a3");
  forced.had.reset();
  ASSERT_TRUE(Publish(*remote, forced));
  EXPECT_EQ(remote->List().size(), 3u);
}

TEST_F(FolderRemotes, AddNoStateToANameTwice) {
  const auto remote = Open();
  ASSERT_TRUE(Publish(*remote, PublicationOf("a", "a1")));
  ASSERT_TRUE(Publish(*remote, PublicationOf("a", "a2", "a1")));
  ASSERT_TRUE(Publish(*remote, PublicationOf("a", "a1", "a2")));
  EXPECT_EQ(remote->List().size(), 2u);
}

TEST_F(FolderRemotes, LoseNothingWhenSeveralPublishAtOnce) {
  constexpr int kWriters = 4;
  constexpr int kEach = 12;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      const auto remote = Open();
      for (int i = 0; i < kEach;) {
        const auto versions = remote->List();
        const RemoteVersion* newest = NewestOf(versions, "shared", "latest");
        Publication publication = PublicationOf("shared", fmt::format("{} {}", writer, i));
        if (newest != nullptr) publication.had->push_back(newest->state);
        try {
          if (Publish(*remote, publication)) ++i;
        } catch (const Error& error) {
          if (error.kind() != ErrorKind::kMismatch) throw;  // somebody was faster
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<RemoteVersion> versions = Open()->List();
  std::set<StateId> states;
  for (const RemoteVersion& version : versions) states.insert(version.state);
  EXPECT_EQ(versions.size(), static_cast<size_t>(kWriters * kEach));
  EXPECT_EQ(states.size(), static_cast<size_t>(kWriters * kEach));
  EXPECT_LE(FileSystem::Real().List(folder_ / "catalogues").size(), 17u);
  EXPECT_THAT(FileSystem::Real().List(folder_ / "tmp"), IsEmpty());
}

TEST_F(FolderRemotes, AreAsBeforeOrAsAfterWhenAnyStepFails) {
  ASSERT_TRUE(Publish(*Open(), PublicationOf("a", "a1")));
  for (int n = 1;; ++n) {
    FaultyFileSystem files(n);
    const size_t before = Open()->List().size();
    Publication next = PublicationOf("a", fmt::format("after {}", n));
    next.had->push_back(Open()->List().back().state);
    try {
      const auto remote = Open(files);
      remote->PutObject(ObjectOf(fmt::format("{}", n)),
                        MemorySource(AsBytes(fmt::format("{}", n))));
      ASSERT_TRUE(Publish(*remote, next));
      if (!files.failed()) break;
    } catch (const Error&) {
      EXPECT_LE(Open()->List().size(), before + 1);
    }
    ASSERT_LT(n, 200);
  }
}

TEST_F(FolderRemotes, NeedAFolderThatIsThereAndTheirOwn) {
  ExpectError(ErrorKind::kNotFound, "mount the share",
              [&] { OpenFolderRemote(directory_.path() / "none"); });
  directory_.Write("photos/cat.jpg", "x");
  ExpectError(ErrorKind::kInvalidArgument, "neither empty nor a remote: it holds cat.jpg",
              [&] { OpenFolderRemote(directory_.path() / "photos"); });
}

TEST_F(FolderRemotes, OfAnotherVersionAreRefused) {
  directory_.Write("share/statelib-remote", "statelib remote 9\n");
  ExpectError(ErrorKind::kUnsupported, "statelib remote 9", [&] { Open()->List(); });
}

TEST_F(FolderRemotes, WithADamagedCatalogueAreRefused) {
  ASSERT_TRUE(Publish(*Open(), PublicationOf("a", "a1")));
  const fs::path catalogue = folder_ / "catalogues/00000000000000000001";
  const Bytes sound = FileSystem::Real().ReadFile(catalogue, 1 << 20);
  for (size_t i = 0; i < sound.size(); ++i) {
    Bytes bytes = sound;
    bytes[i] ^= std::byte{1};
    EXPECT_THROW(DecodeCatalogue(bytes, "it"), Error) << i;
    EXPECT_THROW(DecodeCatalogue(ByteSpan(sound).first(i), "it"), Error) << i;
  }
  EXPECT_EQ(DecodeCatalogue(sound, "it").size(), 1u);
}

}  // namespace
}  // namespace statelib::remote
