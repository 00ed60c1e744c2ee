// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/library_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <thread>

#include "statestore/library/transfer.h"
#include "statestore/remote/fetch.h"
#include "statestore/remote/http_client.h"
#include "statestore/remote/http_remote.h"
#include "tests/cutting_proxy.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/large_state.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::cli {
namespace {

using library::Library;
using remote::TransferObject;
using storage::ExpectClean;
using storage::PublishNear;
using storage::PublishSample;
using testing::ElementsAre;

constexpr const char* kRead = "read-token-0123456789";
constexpr const char* kWrite = "write-token-0123456789";

class LibraryServers : public testing::Test {
 protected:
  void SetUp() override {
    keys_.Create("me");
    LibraryServerOptions options{.library = served_.path(),
                                 .read_token = kRead,
                                 .write_token = kWrite,
                                 .keys = keys_,
                                 .policy = {},
                                 .key = keys_.Signing("me"),
                                 .limits = {},
                                 .tls = {},
                                 .hosts = {},
                                 .log = [this](const std::string& line) {
                                   const std::lock_guard lock(log_mutex_);
                                   log_ += line + "\n";
                                 }};
    server_ = std::make_unique<LibraryServer>(std::move(options));
    port_ = server_->Bind("127.0.0.1", 0);
    thread_ = std::thread([this] { server_->Run(stop_); });
  }
  void Stop() {
    stop_.Cancel();
    if (thread_.joinable()) thread_.join();
  }
  void TearDown() override { Stop(); }
  Library Open(const std::string& name) {
    return Library::Open(folder_.path() / name, Library::Access::kCreate);
  }
  std::string Url(int port = 0) const {
    return fmt::format("http://127.0.0.1:{}", port == 0 ? port_ : port);
  }
  std::unique_ptr<remote::Remote> Remote(const std::string& token = kWrite, int port = 0) const {
    return remote::OpenHttpRemote(Url(port), token, nullptr);
  }
  library::PushReport PushFrom(Library& from, const library::Selection& selection,
                               bool force = false) {
    const std::optional<SigningKey> key = keys_.Signing("me");
    library::PushOptions options;
    options.force = force;
    options.key = &*key;
    return library::Push(from, *Remote(), selection, options);
  }
  library::PullReport PullInto(Library& into, const library::Selection& selection = {}) {
    return library::Pull(into, *Remote(kRead), keys_, selection, {});
  }

  TemporaryDirectory folder_;
  library::KeyRing keys_{folder_.path() / "config"};
  Library served_ = Open("served");
  Library mine_ = Open("mine");
  CancelFlag stop_;
  std::mutex log_mutex_;
  std::string log_;
  std::unique_ptr<LibraryServer> server_;
  int port_ = 0;
  std::thread thread_;
};

TEST_F(LibraryServers, TakeWhatIsPushedAndGiveWhatIsPulled) {
  PublishSample(mine_.repository(), "a", 5000, 1);
  PublishSample(mine_.repository(), "notes/b:draft", 6, 2);
  const auto pushed = PushFrom(mine_, {{"a", "notes/b:draft"}});
  EXPECT_EQ(pushed.objects_sent, 5u);
  ExpectClean(served_.repository());
  EXPECT_EQ(served_.Resolve("a").state.id, mine_.Resolve("a").state.id);
  Library into = Open("into");
  EXPECT_EQ(PullInto(into).bytes_fetched, pushed.bytes_sent);
  EXPECT_EQ(into.Resolve("notes/b:draft").state.id, mine_.Resolve("notes/b:draft").state.id);
  ExpectClean(into.repository());
}

TEST_F(LibraryServers, TakeAndGiveADeltaWithItsBase) {
  const auto base = PublishNear(mine_.repository(), "base", 5, storage::Codec::kExact).state.id;
  const auto delta = PublishNear(mine_.repository(), "a", 6, storage::Codec::kDelta, base).state.id;
  EXPECT_EQ(PushFrom(mine_, {{"a"}}).objects_sent, 4u);
  ExpectClean(served_.repository());
  Library into = Open("into");
  EXPECT_EQ(PullInto(into).objects_fetched, 4u);
  EXPECT_EQ(into.Resolve("a").state.id, delta);
  EXPECT_EQ(into.Resolve("a").state.base, base);
  ExpectClean(into.repository());
}

TEST_F(LibraryServers, TakeAndGiveLargeStatesInLittleMemory) {
  const auto base = storage::PublishLarge(mine_.repository(), "base");
  const auto delta = storage::PublishLarge(mine_.repository(), "delta", base);
  // Of both sides together, which are one process here.
  storage::ExpectLittleMemory("push", [&] { PushFrom(mine_, {{"base", "delta"}}); });
  EXPECT_EQ(served_.Resolve("delta").state.id, delta);
  Library into = Open("into");
  storage::ExpectLittleMemory("pull", [&] { PullInto(into); });
  EXPECT_EQ(into.Resolve("delta").state.id, delta);
}

TEST_F(LibraryServers, OnlyWhatIsMissingTravels) {
  PublishSample(mine_.repository(), "a", 5000, 1);
  PublishSample(mine_.repository(), "b", 5001, 1);
  PushFrom(mine_, {{"a"}});
  EXPECT_EQ(PushFrom(mine_, {{"b"}}).objects_sent, 2u);
  EXPECT_EQ(PushFrom(mine_, {{"a", "b"}}).bytes_sent, 0u);
  EXPECT_EQ(Remote()->List().size(), 2u);
}

TEST_F(LibraryServers, AskForTheRightToken) {
  PublishSample(mine_.repository(), "a", 5, 1);
  const auto id = mine_.Resolve("a").state.id;
  for (const char* token : {"", "wrong-token-0123456789"})
    ExpectError(ErrorKind::kInvalidArgument, "STATELIB_TOKEN", [&] { Remote(token)->List(); });
  EXPECT_TRUE(Remote(kRead)->List().empty());
  ExpectError(ErrorKind::kInvalidArgument, "the token does not allow this", [&] {
    Remote(kRead)->PutObject({id, 1}, MemorySource(AsBytes("x")));
  });
  ExpectError(ErrorKind::kInvalidArgument, "the token does not allow this",
              [&] { Remote(kRead)->Publish({}, 0); });
}

TEST_F(LibraryServers, GoOnWithAnUploadThatIsCut) {
  const Bytes bytes = storage::SampleFloats(75'000, 1);
  const TransferObject object{HashOf(bytes), bytes.size()};
  const CuttingProxy proxy(port_, 60'000);
  Remote(kWrite, proxy.port())->PutObject(object, MemorySource{ByteSpan(bytes)});
  EXPECT_GE(proxy.connections(), 5);
  EXPECT_LT(proxy.bytes(), bytes.size() + 40'000u);  // what had come was not sent again
  EXPECT_THAT(Remote()->HasObjects(std::vector{object}), ElementsAre(true));
  EXPECT_EQ(served_.repository().objects().Get(object.id), bytes);
}

TEST_F(LibraryServers, GoOnWithADownloadThatIsCut) {
  const Bytes bytes = storage::SampleFloats(75'000, 2);
  const TransferObject object{HashOf(bytes), bytes.size()};
  Remote()->PutObject(object, MemorySource{ByteSpan(bytes)});
  const CuttingProxy proxy(port_, 60'000);
  const auto remote = Remote(kRead, proxy.port());
  remote::FetchObject(mine_.repository(), *remote, object);
  EXPECT_GE(proxy.connections(), 5);
  EXPECT_LT(proxy.bytes(), bytes.size() + 40'000u);
  EXPECT_EQ(mine_.repository().objects().Get(object.id), bytes);
}

TEST_F(LibraryServers, TakeNoObjectWithOtherBytes) {
  const Bytes bytes = storage::SampleFloats(1000, 3);
  const TransferObject object{HashOf(AsBytes("something else")), bytes.size()};
  ExpectError(ErrorKind::kCorrupt, "damaged object: expected hash",
              [&] { Remote()->PutObject(object, MemorySource{ByteSpan(bytes)}); });
  EXPECT_THAT(Remote()->HasObjects(std::vector{object}), ElementsAre(false));
  EXPECT_TRUE(served_.repository().objects().Temporaries().empty());
}

TEST_F(LibraryServers, TakeNoPushOfAStranger) {
  PublishSample(mine_.repository(), "a", 5, 1);
  const SigningKey stranger = SigningKey::Create();
  for (const SigningKey* key : {static_cast<const SigningKey*>(nullptr), &stranger}) {
    library::PushOptions options;
    options.key = key;
    ExpectError(ErrorKind::kMismatch, "signed",
                [&] { library::Push(mine_, *Remote(), {{"a"}}, options); });
  }
  EXPECT_EQ(served_.repository().index().states().count(), 0u);
}

TEST_F(LibraryServers, TakeNoPublicationWhoseObjectsAreNotThere) {
  PublishSample(mine_.repository(), "a", 5, 1);
  const storage::ResolvedState state = mine_.Resolve("a");
  const auto outgoing =
      storage::OutgoingManifest::Build(mine_.repository(), std::span(&state, 1), {});
  const std::optional<SigningKey> key = keys_.Signing("me");
  const remote::Publication publication{
      "a", "latest", state.state.id, 5, storage::EncodeManifest(outgoing.manifest(), &*key), {}};
  ExpectError(ErrorKind::kNotFound, "send it first",
              [&] { Remote()->Publish(std::span(&publication, 1), 0); });
  EXPECT_TRUE(Remote()->List().empty());
}

TEST_F(LibraryServers, TakeNoPushOverAVersionThatThePusherHasNotHad) {
  PublishSample(served_.repository(), "a", 6, 2);
  PublishSample(mine_.repository(), "a", 5, 1);
  ExpectError(ErrorKind::kMismatch, "a@1 there", [&] { PushFrom(mine_, {{"a"}}); });
  // Nor of one who does not look: the server judges for itself.
  const storage::ResolvedState state = mine_.Resolve("a");
  const auto outgoing =
      storage::OutgoingManifest::Build(mine_.repository(), std::span(&state, 1), {});
  for (size_t i = 0; i < outgoing.manifest().objects.size(); ++i)
    Remote()->PutObject(outgoing.manifest().objects[i], *outgoing.OpenObject(i));
  const std::optional<SigningKey> key = keys_.Signing("me");
  remote::Publication publication{"a", "latest", state.state.id, 5,
                                  storage::EncodeManifest(outgoing.manifest(), &*key)};
  for (const std::string& message :
       {"a@1 there (state " + served_.Resolve("a").state.id.ShortHex(),
        "a@1 here (state " + state.state.id.ShortHex(), std::string("statelib pull")}) {
    ExpectError(ErrorKind::kMismatch, message,
                [&] { Remote()->Publish(std::span(&publication, 1), 0); });
  }
  EXPECT_EQ(Remote()->List().size(), 1u);
  publication.had->push_back(served_.Resolve("a").state.id);
  EXPECT_TRUE(Remote()->Publish(std::span(&publication, 1), 0));
  EXPECT_EQ(served_.Resolve("a").state.id, state.state.id);
}

TEST_F(LibraryServers, SupersedeWhateverIsThereWhereAPushIsForced) {
  PublishSample(served_.repository(), "a", 6, 2);
  PublishSample(mine_.repository(), "a", 5, 1);
  PushFrom(mine_, {{"a"}}, true);
  EXPECT_EQ(served_.Resolve("a@2").state.id, mine_.Resolve("a").state.id);
  EXPECT_EQ(served_.Resolve("a@1").state.history.token_count(), 6u);
}

TEST_F(LibraryServers, PushesAtOnceLoseNothing) {
  constexpr int kWriters = 3;
  std::vector<std::thread> threads;
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([this, i] {
      Library library = Open(fmt::format("writer{}", i));
      for (unsigned version = 0; version < 3; ++version) {
        PublishSample(library.repository(), "shared", 5 + version,
                      100u * (static_cast<unsigned>(i) + 1) + 10 * version);
        PushFrom(library, {{"shared"}}, true);  // none has had what the others push
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served_.repository().index().references().Versions("shared", "latest").size(), 9u);
  ExpectClean(served_.repository());
}

TEST_F(LibraryServers, AnswerNonsenseWithOneLineOfJson) {
  remote::HttpClient client(nullptr);
  const std::string bearer = std::string("Authorization: Bearer ") + kWrite;
  const auto status = [&](const std::string& method, const std::string& path,
                          std::string_view body = "") {
    const auto response = client.Perform(
        {.method = method, .url = Url() + path, .headers = {bearer}, .body = AsBytes(body)});
    const std::string text(AsText(response.body));
    EXPECT_THAT(text, testing::HasSubstr("\"error\"")) << path;
    EXPECT_THAT(text, testing::Not(testing::HasSubstr(folder_.path().string()))) << path;
    return response.status;
  };
  const std::string id(64, 'a');
  EXPECT_EQ(status("GET", "/"), 404);
  EXPECT_EQ(status("GET", "/v1/objects/" + id), 404);
  EXPECT_EQ(status("GET", "/v1/objects/../../etc/passwd"), 404);
  EXPECT_EQ(status("GET", "/v1/manifest?name=a&tag=latest&version=1"), 404);
  EXPECT_EQ(status("GET", "/v1/manifest?name=../a&tag=latest&version=1"), 400);
  EXPECT_EQ(status("GET", "/v1/manifest"), 400);
  EXPECT_EQ(status("POST", "/v1/missing", "12345"), 400);
  EXPECT_EQ(status("POST", "/v1/publish", ""), 400);
  EXPECT_EQ(status("POST", "/v1/publish", std::string(40, 'x')), 422);
  EXPECT_EQ(status("PATCH", "/v1/uploads/" + id, "x"), 400);
  EXPECT_EQ(status("GET", "/v1/objects/" + std::string(64, 'z')), 400);
  EXPECT_EQ(status("GET", "/v1/objects/%2e%2e"), 400);
  EXPECT_EQ(status("DELETE", "/v1/catalogue"), 405);
  EXPECT_TRUE(served_.repository().objects().Temporaries().empty());
}

TEST_F(LibraryServers, AnErrorTellsNothingOfThisMachinesFiles) {
  PublishSample(served_.repository(), "a", 5, 1);
  const storage::ObjectId id = served_.Resolve("a").state.id;
  const std::filesystem::path object = served_.repository().objects().PathOf(id);
  std::filesystem::remove(object);
  std::filesystem::create_directory(object);
  std::filesystem::rename(served_.path() / "tmp", served_.path() / "elsewhere");
  remote::HttpClient client(nullptr);
  const std::string bearer = std::string("Authorization: Bearer ") + kWrite;
  const std::string zeros(64, '0');
  const auto expect_silent = [&](remote::HttpRequest request) {
    request.url = Url() + request.url;
    request.headers.push_back(bearer);
    const auto response = client.Perform(request);
    EXPECT_GE(response.status, 400) << request.url;
    EXPECT_THAT(std::string(AsText(response.body)),
                testing::Not(testing::HasSubstr(folder_.path().string())))
        << request.url;
  };
  expect_silent({.url = "/v1/objects/" + id.Hex()});
  expect_silent({.url = "/v1/manifest?name=a&tag=latest&version=1"});
  expect_silent({.method = "PATCH",
                 .url = "/v1/uploads/" + zeros,
                 .headers = {"Upload-Offset: 0", "Upload-Length: 10"},
                 .body = AsBytes("0123456789")});
  std::filesystem::rename(served_.path() / "index.db", served_.path() / "gone.db");
  expect_silent({.url = "/v1/catalogue"});
  std::filesystem::rename(served_.path() / "gone.db", served_.path() / "index.db");
}

TEST_F(LibraryServers, TheLogHasTimeClientRequestAndStatus) {
  Remote(kRead)->List();
  remote::HttpClient(nullptr).Perform({.url = Url() + "/v1/catalogue?token=secret"});
  Stop();
  EXPECT_THAT(log_, testing::ContainsRegex("^20[0-9-]+T[0-9:]+Z 127.0.0.1 GET /v1/catalogue 200 "
                                           "[0-9]+ bytes [0-9]+ ms\n"));
  EXPECT_THAT(log_, testing::HasSubstr(" GET /v1/catalogue 401 "));
  EXPECT_THAT(log_, testing::Not(testing::HasSubstr("secret")));
  EXPECT_THAT(log_, testing::Not(testing::HasSubstr(kRead)));
}

TEST_F(LibraryServers, AnUploadWithoutTheRightIsRefusedBeforeItComes) {
  const LoopbackSocket socket = LoopbackSocket::Connect(port_);
  socket.Send("PATCH /v1/uploads/" + std::string(64, '0') +
              " HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n");
  EXPECT_THAT(socket.ReadAll(20'000), testing::StartsWith("HTTP/1.1 401"));
}

}  // namespace
}  // namespace statelib::cli
