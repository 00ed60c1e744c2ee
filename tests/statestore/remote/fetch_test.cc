// SPDX-License-Identifier: Apache-2.0
#include "statestore/remote/fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/faulty_file_system.h"
#include "tests/temporary_directory.h"

namespace statelib::remote {
namespace {

/// A remote of one object whose connection is cut after so many bytes of each request.
class CutRemote : public Remote {
 public:
  const std::string& location() const override { return location_; }
  std::vector<RemoteVersion> List() override { return {}; }
  Bytes GetManifest(const RemoteVersion&) override { return {}; }
  std::vector<bool> HasObjects(std::span<const TransferObject> objects) override {
    return std::vector<bool>(objects.size(), true);
  }
  void GetObject(const TransferObject&, uint64_t offset, const Sink& sink) override {
    offsets.push_back(offset);
    const std::string_view rest = std::string_view(bytes).substr(offset);
    for (const char& byte : rest.substr(0, cut_after)) sink(AsBytes({&byte, 1}));
    if (cut_after < rest.size()) Throw(ErrorKind::kIo, "cut");
  }
  void PutObject(const TransferObject&, const ByteSource&) override {}
  bool Publish(std::span<const Publication>, int64_t) override { return false; }

  std::string bytes = "the bytes of an object";
  size_t cut_after = std::string::npos;
  std::vector<uint64_t> offsets;

 private:
  std::string location_ = "remote";
};

class Fetching : public testing::Test {
 protected:
  uint64_t Fetch() { return FetchObject(library_, remote_, object_); }
  bool IsThere() { return library_.objects().Exists(object_.id); }

  TemporaryDirectory folder_;
  storage::Repository library_ =
      storage::Repository::Open(folder_.path() / "library", storage::Repository::Access::kCreate);
  CutRemote remote_;
  TransferObject object_{HashOf(AsBytes(remote_.bytes)), remote_.bytes.size()};
};

TEST_F(Fetching, BringsAnObjectOnce) {
  EXPECT_EQ(Fetch(), object_.size_bytes);
  EXPECT_EQ(AsText(library_.objects().Get(object_.id)), remote_.bytes);
  EXPECT_EQ(Fetch(), 0u);
  EXPECT_EQ(remote_.offsets.size(), 1u);
  EXPECT_TRUE(library_.objects().Temporaries().empty());
}

TEST_F(Fetching, GoesOnWhereItWasCutWhereverThatWas) {
  for (size_t cut = 1; cut < remote_.bytes.size(); ++cut) {
    remote_.cut_after = cut;
    remote_.offsets.clear();
    uint64_t calls = 0;
    while (!IsThere()) {
      ASSERT_LE(++calls, remote_.bytes.size() / cut + 1);
      try {
        Fetch();
      } catch (const Error& error) {
        ASSERT_EQ(error.kind(), ErrorKind::kIo) << error.what();
      }
    }
    for (size_t i = 0; i < remote_.offsets.size(); ++i) EXPECT_EQ(remote_.offsets[i], i * cut);
    EXPECT_EQ(AsText(library_.objects().Get(object_.id)), remote_.bytes);
    library_.objects().Remove(object_.id);
  }
}

TEST_F(Fetching, TakesNoOtherBytes) {
  remote_.bytes[3] ^= 1;
  ExpectError(ErrorKind::kCorrupt, "damaged object: expected hash", [&] { Fetch(); });
  EXPECT_FALSE(IsThere());
  EXPECT_TRUE(library_.objects().Temporaries().empty());
}

TEST_F(Fetching, TakesNoMoreBytesThanTheObjectHas) {
  remote_.bytes += "!";
  ExpectError(ErrorKind::kCorrupt, "found more", [&] { Fetch(); });
  EXPECT_FALSE(IsThere());
}

TEST_F(Fetching, SaysWhenTheRemoteHasLess) {
  remote_.bytes.pop_back();
  ExpectError(ErrorKind::kIo, "came cut short: expected 22 bytes, found 21", [&] { Fetch(); });
  EXPECT_FALSE(IsThere());
}

TEST_F(Fetching, BeginsAnewWhenWhatIsThereIsDamaged) {
  remote_.cut_after = 10;
  EXPECT_THROW(Fetch(), Error);
  const auto part = library_.objects().Temporaries().front();
  std::ofstream(part, std::ios::binary) << "damage";
  remote_.cut_after = std::string::npos;
  EXPECT_EQ(Fetch(), 16 + object_.size_bytes);
  EXPECT_TRUE(IsThere());
}

TEST(FetchingOnADiskThatFails, IsEndedByTheNextRunWhicheverWriteFailed) {
  bool finished = false;
  int n = 1;
  for (; !finished; ++n) {
    SCOPED_TRACE(n);
    TemporaryDirectory folder;
    CutRemote remote;
    const TransferObject object{HashOf(AsBytes(remote.bytes)), remote.bytes.size()};
    using storage::Repository;
    Repository::Open(folder.path(), Repository::Access::kCreate);
    FaultyFileSystem files(n);
    Repository library = Repository::Open(folder.path(), Repository::Access::kWrite, files);
    try {
      FetchObject(library, remote, object);
      finished = !files.failed();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kIo) << error.what();
    }
    FetchObject(library, remote, object);
    EXPECT_EQ(AsText(library.objects().Get(object.id)), remote.bytes);
    EXPECT_TRUE(library.objects().Temporaries().empty());
  }
  EXPECT_GT(n, 20);  // each byte came in a piece of its own
}

}  // namespace
}  // namespace statelib::remote
