// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "tests/cutting_proxy.h"

namespace statelib::cli {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class HttpServers : public testing::Test {
 protected:
  void Start(const ServerLimits& limits) {
    server_ = std::make_unique<HttpServer>(limits);
    server_->set_payload_max_length(1000);
    server_->Get("/hello", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("hello", "text/plain");
    });
    server_->Get("/much", [](const httplib::Request&, httplib::Response& response) {
      response.set_content(std::string(64 << 20, 'x'), "text/plain");
    });
    server_->Post("/echo", [](const httplib::Request& request, httplib::Response& response) {
      response.set_content(request.body, "text/plain");
    });
    port_ = server_->bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_->listen_after_bind(); });
    while (!server_->is_running()) std::this_thread::sleep_for(milliseconds(1));
  }
  void TearDown() override {
    if (!thread_.joinable()) return;
    server_->StopSoon();
    thread_.join();
  }
  LoopbackSocket Connect() const { return LoopbackSocket::Connect(port_); }
  std::string Get(const std::string& path) const {
    const LoopbackSocket socket = Connect();
    socket.Send("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return socket.ReadAll(10'000);
  }

  std::unique_ptr<HttpServer> server_;
  int port_ = 0;
  std::thread thread_;
};

TEST_F(HttpServers, AnswerSeveralRequestsOfOneConnection) {
  Start({});
  const LoopbackSocket socket = Connect();
  socket.Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  socket.Send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc");
  const std::string answers = socket.ReadAll(10'000);
  EXPECT_THAT(answers, HasSubstr("hello"));
  EXPECT_TRUE(answers.ends_with("abc")) << answers;
}

TEST_F(HttpServers, SlowClientsLoseTheirConnectionAndNobodyElseWaits) {
  ServerLimits limits;
  limits.threads = 2;
  limits.first_bytes = milliseconds(300);
  limits.silence = milliseconds(2000);
  Start(limits);
  std::vector<LoopbackSocket> slow;
  for (int i = 0; i < 6; ++i) slow.push_back(Connect());
  std::atomic<bool> done = false;
  std::thread trickle([&] {
    while (!done) {
      for (const LoopbackSocket& socket : slow) socket.Send("x");
      std::this_thread::sleep_for(milliseconds(20));
    }
  });
  EXPECT_THAT(Get("/hello"), HasSubstr("hello"));  // once the slow ones have had their time
  done = true;
  trickle.join();
}

TEST_F(HttpServers, ClientsThatDoNotReadLoseTheirConnection) {
  ServerLimits limits;
  limits.threads = 1;
  limits.first_bytes = milliseconds(300);
  limits.silence = milliseconds(300);
  Start(limits);
  const LoopbackSocket deaf = Connect();
  deaf.Send("GET /much HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(Get("/hello"), HasSubstr("hello"));
}

TEST_F(HttpServers, RefuseABodyThatIsTooLarge) {
  Start({});
  const LoopbackSocket socket = Connect();
  socket.Send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 99999\r\n\r\n" +
      std::string(99999, 'x'));
  EXPECT_THAT(socket.ReadAll(10'000), HasSubstr("413"));
  EXPECT_THAT(Get("/hello"), HasSubstr("hello"));
}

TEST_F(HttpServers, SurviveRequestsThatAreNone) {
  ServerLimits limits;
  limits.first_bytes = milliseconds(200);
  Start(limits);
  std::mt19937 random(1);
  const std::string seed = "GET /hello?x=%41 HTTP/1.1\r\nHost: x\r\nRange: bytes=0-3\r\n\r\n";
  for (int i = 0; i < 60; ++i) {
    std::string request = seed;
    for (int change = 0; change < 1 + i % 8; ++change)
      request[random() % request.size()] = static_cast<char>(random());
    const LoopbackSocket socket = Connect();
    socket.Send(request.substr(0, 1 + random() % request.size()));
  }
  EXPECT_THAT(Get("/hello"), HasSubstr("hello"));
}

TEST_F(HttpServers, StopBesideAConnectionThatIsHeldOpen) {
  ServerLimits limits;
  limits.idle = milliseconds(60'000);
  limits.first_bytes = milliseconds(60'000);
  limits.silence = milliseconds(60'000);
  limits.grace = milliseconds(200);
  Start(limits);
  const LoopbackSocket idle = Connect();
  const LoopbackSocket half = Connect();
  half.Send("GET /hel");
  EXPECT_THAT(Get("/hello"), HasSubstr("hello"));
  server_->StopSoon();
  thread_.join();  // would wait for a minute, and the test for its time-out
  EXPECT_THROW(
      {
        const LoopbackSocket late = Connect();
        late.Send("GET /hello HTTP/1.1\r\n\r\n");
        if (late.ReadAll(1000).empty()) throw std::runtime_error("nobody");
      },
      std::runtime_error);
}

}  // namespace
}  // namespace statelib::cli
