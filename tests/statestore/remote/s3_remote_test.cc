// SPDX-License-Identifier: Apache-2.0
#include "statestore/remote/s3_remote.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "statestore/storage/manifest.h"
#include "tests/cutting_proxy.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/remote/s3_server.h"
#include "tests/statestore/sample_state.h"

namespace statelib::remote {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class S3Remotes : public testing::Test {
 protected:
  std::unique_ptr<Remote> Open(const std::string& url = "s3://bucket/some/prefix", int port = 0) {
    const std::string endpoint =
        port == 0 ? server_.endpoint() : fmt::format("http://127.0.0.1:{}", port);
    return OpenS3Remote(url, endpoint, S3Server::Credentials(), nullptr);
  }
  static Publication PublicationOf(const std::string& state, std::optional<StateId> had = {}) {
    Publication publication{"shared", "latest", HashOf(AsBytes(state)), 5,
                            storage::EncodeManifest({}, nullptr)};
    if (had) publication.had->push_back(*had);
    return publication;
  }
  static bool Publish(Remote& remote, const Publication& publication) {
    return remote.Publish(std::span(&publication, 1), 7);
  }
  static Bytes Got(Remote& remote, const TransferObject& object, uint64_t offset = 0) {
    Bytes got;
    remote.GetObject(object, offset,
                     [&](ByteSpan bytes) { got.insert(got.end(), bytes.begin(), bytes.end()); });
    return got;
  }

  S3Server server_;
  const Bytes bytes_ = storage::SampleFloats(50'000, 1);
  const TransferObject object_{HashOf(bytes_), bytes_.size()};
};

TEST_F(S3Remotes, KeepObjectsAndHandThemOutFromAnyPlace) {
  const auto remote = Open();
  EXPECT_THAT(remote->HasObjects(std::vector{object_}), ElementsAre(false));
  remote->PutObject(object_, MemorySource(bytes_));
  EXPECT_THAT(remote->HasObjects(std::vector{object_}), ElementsAre(true));
  EXPECT_EQ(Got(*remote, object_), bytes_);
  EXPECT_EQ(Got(*remote, object_, 199'999), Bytes{bytes_.back()});
  EXPECT_TRUE(Got(*remote, object_, 200'000).empty());
  EXPECT_TRUE(server_.objects.contains("/bucket/some/prefix/objects/" +
                                       object_.id.Hex().substr(0, 2) + "/" + object_.id.Hex()));
}

TEST_F(S3Remotes, ShowWhatWasPublishedAndKeepToTheirPrefix) {
  EXPECT_THAT(Open()->List(), IsEmpty());
  std::optional<StateId> before;
  for (int i = 0; i < 5; ++i) {  // more catalogues than a page of the listing
    const Publication next = PublicationOf(fmt::format("{}", i), before);
    ASSERT_TRUE(Publish(*Open(), next));
    before = next.state;
  }
  EXPECT_EQ(Open()->List().size(), 5u);
  EXPECT_EQ(Open()->List().back().state, *before);
  EXPECT_THAT(Open("s3://bucket/other")->List(), IsEmpty());
  EXPECT_THAT(Open("s3://bucket")->List(), IsEmpty());
}

TEST_F(S3Remotes, GoOnOnlyFromAVersionThatThePublisherHasHad) {
  const Publication first = PublicationOf("first");
  ASSERT_TRUE(Publish(*Open(), first));
  ExpectError(ErrorKind::kMismatch, "shared@1 there",
              [&] { Publish(*Open(), PublicationOf("other")); });
  ASSERT_TRUE(Publish(*Open(), PublicationOf("second", first.state)));
  Publication forced = PublicationOf("third");
  forced.had.reset();
  ASSERT_TRUE(Publish(*Open(), forced));
  EXPECT_EQ(Open()->List().size(), 3u);
}

TEST_F(S3Remotes, LoseNothingWhenSeveralPublishAtOnce) {
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 3; ++writer) {
    threads.emplace_back([&, writer] {
      const auto remote = Open();
      for (int i = 0; i < 6;) {
        const auto versions = remote->List();
        const RemoteVersion* newest = NewestOf(versions, "shared", "latest");
        Publication next = PublicationOf(fmt::format("{} {}", writer, i));
        if (newest != nullptr) next.had->push_back(newest->state);
        try {
          if (Publish(*remote, next)) ++i;
        } catch (const Error& error) {
          if (error.kind() != ErrorKind::kMismatch) throw;  // somebody was faster
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<StateId> states;
  for (const RemoteVersion& version : Open()->List()) states.insert(version.state);
  EXPECT_EQ(states.size(), 18u);
}

TEST_F(S3Remotes, RefuseAStoreThatIgnoresConditions) {
  server_.honours_conditions = false;
  ExpectError(ErrorKind::kUnsupported, "ignores If-None-Match",
              [&] { Publish(*Open(), PublicationOf("a")); });
}

TEST_F(S3Remotes, RefuseWrongCredentials) {
  AwsCredentials wrong = S3Server::Credentials();
  wrong.secret_access_key += "x";
  ExpectError(ErrorKind::kInvalidArgument, "SignatureDoesNotMatch",
              [&] { OpenS3Remote("s3://bucket", server_.endpoint(), wrong, nullptr)->List(); });
  ExpectError(ErrorKind::kInvalidArgument, "AWS_ACCESS_KEY_ID",
              [&] { OpenS3Remote("s3://bucket", server_.endpoint(), {}, nullptr); });
  ExpectError(ErrorKind::kInvalidArgument, "expected s3://BUCKET",
              [&] { OpenS3Remote("s3://", "", S3Server::Credentials(), nullptr); });
}

TEST_F(S3Remotes, GoOnWithADownloadThatIsCut) {
  Open()->PutObject(object_, MemorySource(bytes_));
  const CuttingProxy proxy(server_.port(), 60'000);
  EXPECT_EQ(Got(*Open("s3://bucket/some/prefix", proxy.port()), object_), bytes_);
  EXPECT_GE(proxy.connections(), 4);
  EXPECT_LT(proxy.bytes(), bytes_.size() + 40'000u);
}

TEST_F(S3Remotes, TryAgainWhenTheStoreIsOverloaded) {
  server_.failures = 2;
  Open()->PutObject(object_, MemorySource(bytes_));
  server_.failures = 2;
  EXPECT_EQ(Got(*Open(), object_), bytes_);
}

}  // namespace
}  // namespace statelib::remote
