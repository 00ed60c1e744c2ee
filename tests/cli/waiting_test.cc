// SPDX-License-Identifier: Apache-2.0
// What commands say while others are in their way, and when they give up.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>

#include "statestore/storage/repository.h"
#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class WaitingCommands : public LibraryTest {
 protected:
  void SetUp() override { Facts({"ingest", "a", Write("a.md", "The roof leaks.\n")}); }
  storage::Repository Other() const {
    return storage::Repository::Open(Library(), storage::Repository::Access::kWrite);
  }
};

/// Takes connections and never answers.
class SilentServer {
 public:
  SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_, any, sizeof(address)), 0);
    EXPECT_EQ(::listen(socket_, 16), 0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::getsockname(socket_, any, &size), 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~SilentServer() { ::close(socket_); }
  const std::string& url() const { return url_; }

 private:
  int socket_;
  std::string url_;
};

TEST_F(WaitingCommands, ForALockEndWithTheirTimeout) {
  const storage::Repository other = Other();
  const storage::Lease gc = other.GcLease();
  EXPECT_THAT(
      ExpectFailure({"cp", "a", "b", "--timeout", "0.1"}, 6),
      AllOf(HasSubstr("waited 0.1 s for another process that holds "), HasSubstr("objects.lock")));
}

TEST_F(WaitingCommands, ForTheIndexEndWithTheirTimeout) {
  storage::Repository other = Other();
  other.index().Write([&] {
    EXPECT_THAT(ExpectFailure({"mv", "a", "b", "--timeout", "0.1"}, 6), HasSubstr("index.db"));
  });
}

TEST_F(WaitingCommands, ForASilentRemoteEndWithTheirTimeout) {
  const SilentServer server;
  EXPECT_THAT(ExpectFailure({"ls-remote", server.url(), "--timeout", "1"}, 6),
              HasSubstr("waited 1 s for " + server.url()));
}

TEST_F(WaitingCommands, SayWhatTheyWaitForAndGoOn) {
  const storage::Repository other = Other();
  std::optional<storage::Lease> gc = other.GcLease();
  ProcessOptions options;
  options.on_output = [&](pid_t, std::string_view text) {
    if (text.find("waiting for") != std::string_view::npos) gc.reset();
  };
  const ProcessResult result = Run({"cp", "a", "b"}, options);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err,
            "waiting for another process that holds " + Library() + "/locks/objects.lock\n");
  EXPECT_THAT(result.out, HasSubstr("b@1"));
}

TEST_F(WaitingCommands, SayThatARemoteIsSilent) {
  const SilentServer server;
  const ProcessResult result = Run({"ls-remote", server.url(), "--timeout", "5"});
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_THAT(result.err, HasSubstr("waiting for " + server.url()));
}

}  // namespace
}  // namespace statelib::cli
