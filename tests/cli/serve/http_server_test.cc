// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <future>
#include <mutex>
#include <random>
#include <thread>

#include "tests/cli/serve/http_server_fixture.h"

namespace statelib::cli {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class HttpServers : public HttpServerTest {
 protected:
  void AddRoutes(HttpServer& server) override {
    HttpServerTest::AddRoutes(server);
    server.Add({.method = "GET", .pattern = "/much", .handler = [](const auto&, const auto&) {
                  return HttpResponse{.body = std::string(64 << 20, 'x')};
                }});
    server.Add({.method = "GET", .pattern = "/held", .handler = [this](const auto&, const auto&) {
                  held_.set_value();
                  release_.get_future().wait();
                  return HttpResponse{.body = "held"};
                }});
    server.Add({.method = "GET",
                .pattern = "/places/{}/of/{}",
                .handler = [](const HttpRequest& request, const auto&) {
                  return HttpResponse{.body = request.places[0] + "|" + request.places[1] + "|" +
                                              std::string(request.Query("q"))};
                }});
    server.Add({.method = "GET",
                .pattern = "/fails",
                .handler = [](const auto&, const auto&) -> HttpResponse {
                  throw std::runtime_error("a secret of the house");
                }});
    server.Add({.method = "GET", .pattern = "/splits", .handler = [](const auto&, const auto&) {
                  return HttpResponse{.headers = {{"X-Name", "a\r\nX-Evil: b"}}, .body = ""};
                }});
  }

  std::promise<void> held_;
  std::promise<void> release_;
};

TEST_F(HttpServers, AnswerSeveralRequestsOfOneConnection) {
  Start();
  const LoopbackSocket socket = Connect();
  socket.Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  socket.Send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc");
  const std::string answers = socket.ReadAll(kPatience);
  EXPECT_EQ(Count(answers, "\r\n\r\nhello"), 2u);
  EXPECT_TRUE(answers.ends_with("abc")) << answers;
}

TEST_F(HttpServers, FindRoutesByMethodAndPath) {
  Start();
  EXPECT_THAT(Get("/places/a%2Fb/of/c?q=d+e%26"), HasSubstr("\r\n\r\na/b|c|d e&"));
  EXPECT_THAT(Get("/places//of/c"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Get("/hello/"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Get("/../hello"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Get("/places/%zz/of/c"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Get("/echo"), HasSubstr("\r\nAllow: POST\r\n"));
  const std::string head = Exchange("HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 5\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("hello")));
}

TEST_F(HttpServers, AHandlerThatFailsSaysNothingAndSplitsNothing) {
  Start();
  EXPECT_THAT(Get("/fails"), StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(Get("/fails"), Not(HasSubstr("secret")));
  EXPECT_THAT(Get("/splits"), Not(HasSubstr("\r\nX-Evil")));
}

TEST_F(HttpServers, CloseAfterRequestsOfHttp10AndAfterTheLastOfAConnection) {
  ServerLimits limits;
  limits.requests_per_connection = 2;
  Start(limits);
  EXPECT_THAT(Exchange("GET /hello HTTP/1.0\r\n\r\n"), HasSubstr("hello"));
  const std::string one = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_EQ(Count(Exchange(one + one + one), "HTTP/1.1 200"), 2u);
}

TEST_F(HttpServers, NothingExtendsTheTimeToACompleteHeader) {
  ServerLimits limits;
  limits.head = milliseconds(300);
  Start(limits);
  const LoopbackSocket slow = Connect();
  std::atomic<bool> done = false;
  std::thread drip([&] {
    slow.Send("GET /hello HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    while (!done) {
      slow.Send("x");
      std::this_thread::sleep_for(milliseconds(10));
    }
  });
  EXPECT_THAT(slow.ReadAll(kPatience), StartsWith("HTTP/1.1 408"));
  done = true;
  drip.join();
  const LoopbackSocket silent = Connect();
  EXPECT_TRUE(IsClosed(silent));
}

TEST_F(HttpServers, AFurtherRequestOfAConnectionHasItsOwnTime) {
  ServerLimits limits;
  limits.head = milliseconds(300);
  Start(limits);
  const LoopbackSocket socket = Connect();
  for (int i = 0; i < 3; ++i) {
    socket.Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(socket.Readable(kPatience));
    std::this_thread::sleep_for(milliseconds(200));  // together more than the time of one
  }
  socket.Send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(Count(socket.ReadAll(kPatience), "HTTP/1.1 200"), 4u);
  const LoopbackSocket idle = Connect();
  idle.Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hel");  // the second never comes
  EXPECT_THAT(idle.ReadAll(kPatience), HasSubstr("HTTP/1.1 408"));
}

TEST_F(HttpServers, ClientsThatDoNotReadLoseTheirConnection) {
  ServerLimits limits;
  limits.threads = 1;
  limits.waiting_threads = 1;
  limits.first_bytes = milliseconds(300);
  limits.silence = milliseconds(300);
  std::promise<int> cut;
  Start(HttpServerOptions{.limits = limits, .answered = [&](const HttpAnswered& answered) {
                            if (answered.path == "/much") cut.set_value(answered.status);
                          }});
  const LoopbackSocket deaf = Connect();
  deaf.Send("GET /much HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(Get("/hello"), HasSubstr("hello"));  // the only worker does not wait for it
  EXPECT_EQ(cut.get_future().get(), 0);
  Stop();  // nobody says anything of it any more
}

TEST_F(HttpServers, AtTheBoundTheOldestConnectionWithoutAHeaderGoes) {
  ServerLimits limits;
  limits.connections = 4;
  Start(limits);
  const LoopbackSocket held = Connect();
  held.Send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  held_.get_future().wait();
  const LoopbackSocket first = Connect();
  first.Send("G");
  const LoopbackSocket second = Connect();
  second.Send("GET /hello HT");
  const LoopbackSocket known = Connect();
  known.Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(known.Readable(kPatience));
  EXPECT_THAT(Get("/hello"), HasSubstr("hello"));  // for which the first had to go
  EXPECT_TRUE(IsClosed(first));
  EXPECT_FALSE(second.Readable(0));
  const LoopbackSocket third = Connect();  // the place of the one that was answered is free
  const LoopbackSocket fourth = Connect();
  for (const LoopbackSocket* each : {&third, &fourth}) each->Send("G");
  EXPECT_TRUE(IsClosed(second));
  known.Send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(Count(known.ReadAll(kPatience), "HTTP/1.1 200"), 2u);
  release_.set_value();
  EXPECT_THAT(held.ReadAll(1000), HasSubstr("held"));
}

TEST_F(HttpServers, WhoIsRefusedAndDoesNotReadItKeepsNoPlace) {
  ServerLimits limits;
  limits.connections = 2;
  limits.silence = limits.first_bytes = milliseconds(60'000);
  std::atomic<int> refused = 0;
  Start(HttpServerOptions{.limits = limits,
                          .gate = [&](const HttpRequest& request) -> std::optional<HttpResponse> {
                            if (request.path() != "/much") return std::nullopt;
                            ++refused;
                            return HttpResponse{.status = 401, .body = std::string(16 << 20, 'x')};
                          }});
  std::vector<LoopbackSocket> deaf;
  for (int i = 0; i < 2; ++i) {
    deaf.push_back(Connect());
    deaf.back().Send("GET /much HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  while (refused < 2) std::this_thread::sleep_for(milliseconds(1));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(Get("/hello"), HasSubstr("hello"));
}

TEST_F(HttpServers, WhereEveryConnectionHasARequestANewOneIsToldToComeAgain) {
  ServerLimits limits;
  limits.connections_per_address = 1;
  Start(limits);
  const LoopbackSocket held = Connect();
  held.Send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  held_.get_future().wait();
  EXPECT_THAT(Get("/hello"), StartsWith("HTTP/1.1 503"));
  release_.set_value();
  EXPECT_THAT(held.ReadAll(1000), HasSubstr("held"));
}

TEST_F(HttpServers, ConnectionsThatAskNothingAndReopenKeepNobodyOut) {
  ServerLimits limits;
  limits.connections = 16;
  Start(limits);
  std::deque<LoopbackSocket> attackers;
  for (int i = 0; i < 50; ++i) {
    for (int j = 0; j < 20; ++j) {
      attackers.push_back(Connect());
      if (j % 2 == 0) attackers.back().Send("GET /hel");
      if (attackers.size() > 40) attackers.pop_front();
    }
    EXPECT_THAT(Get("/hello"), HasSubstr("hello"));
  }
}

TEST_F(HttpServers, AClientThatAsksLaterThanItConnectsIsNotPushedOut) {
  ServerLimits limits;
  limits.connections = 4;
  Start(limits);
  std::vector<LoopbackSocket> others;
  for (int i = 0; i < 10; ++i) {
    const LoopbackSocket socket = Connect();
    for (int j = 0; j < 10; ++j) {
      others.push_back(Connect());
      others.back().Send("G");
    }
    EXPECT_TRUE(IsClosed(others[others.size() - 8]));  // they have all had their turn
    socket.Send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(socket.ReadAll(kPatience), HasSubstr("hello"));
  }
}

TEST_F(HttpServers, AHeaderThatHasComeIsReadBeforeAnotherConnectionIsTaken) {
  ServerLimits limits;
  limits.connections = 4;
  std::promise<void> busy, go_on;
  Start(HttpServerOptions{.limits = limits, .gate = [&](const HttpRequest& request) {
                            if (request.path() == "/busy") {
                              busy.set_value();
                              go_on.get_future().wait();  // as a server that is slow
                            }
                            return std::optional<HttpResponse>();
                          }});
  const LoopbackSocket first = Connect();
  first.Send("GET /busy HTTP/1.1\r\nHost: x\r\n\r\n");
  busy.get_future().wait();
  const LoopbackSocket socket = Connect();
  socket.Send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  std::vector<LoopbackSocket> others;
  for (int i = 0; i < 20; ++i) {
    others.push_back(Connect());
    others.back().Send("G");
  }
  go_on.set_value();
  EXPECT_THAT(socket.ReadAll(kPatience), HasSubstr("hello"));
}

TEST_F(HttpServers, SurviveRequestsThatAreNone) {
  ServerLimits limits;
  limits.head = milliseconds(200);
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

TEST_F(HttpServers, MoreRequestsThanMayWaitAreToldToComeAgain) {
  ServerLimits limits;
  limits.threads = 1;
  limits.waiting_threads = 1;
  limits.queued_requests = 1;
  std::atomic<int> came =
      -1;  // beside the first: those that came to the gate, which is before the queue
  Start(HttpServerOptions{.limits = limits, .gate = [&](const HttpRequest&) {
                            ++came;
                            return std::optional<HttpResponse>();
                          }});
  const LoopbackSocket held = Connect();
  held.Send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  held_.get_future().wait();
  const LoopbackSocket queued = Connect();
  queued.Send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  while (came < 1) std::this_thread::sleep_for(milliseconds(1));
  const std::string refused = Get("/hello");
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(refused, HasSubstr("\r\nRetry-After: 1\r\n"));
  release_.set_value();
  EXPECT_THAT(queued.ReadAll(kPatience), HasSubstr("hello"));
}

TEST_F(HttpServers, SayWhoAskedForWhatAndHowItWasAnswered) {
  std::mutex mutex;
  std::vector<HttpAnswered> lines;
  Start(HttpServerOptions{.answered = [&](const HttpAnswered& answered) {
    const std::lock_guard lock(mutex);
    lines.push_back(answered);
  }});
  Get("/hello?token=x");
  Exchange("nonsense\r\n\r\n");
  Stop();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].client, "127.0.0.1");
  EXPECT_EQ(lines[0].method, "GET");
  EXPECT_EQ(lines[0].path, "/hello");
  EXPECT_EQ(lines[0].status, 200);
  EXPECT_GT(lines[0].bytes, 5u);
  EXPECT_EQ(lines[1].status, 400);
  EXPECT_EQ(lines[1].client, "127.0.0.1");
}

TEST_F(HttpServers, AGateRefusesBeforeTheBodyComes) {
  Start(HttpServerOptions{.gate = [](const HttpRequest& request) -> std::optional<HttpResponse> {
    if (request.Header("x-key") == "right") return std::nullopt;
    return HttpResponse{.status = 401, .body = "no"};
  }});
  const LoopbackSocket socket = Connect();
  socket.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n");
  EXPECT_THAT(socket.ReadAll(kPatience), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(Exchange("POST /echo HTTP/1.1\r\nHost: x\r\nX-KEY: right\r\nConnection: close\r\n"
                       "Content-Length: 3\r\n\r\nabc"),
              HasSubstr("\r\n\r\nabc"));
}

TEST_F(HttpServers, StopBesideAConnectionThatIsHeldOpen) {
  ServerLimits limits;
  limits.idle = limits.head = limits.first_bytes = limits.silence = milliseconds(60'000);
  limits.grace = milliseconds(200);
  Start(limits);
  const LoopbackSocket idle = Connect();
  const LoopbackSocket half = Connect();
  half.Send("GET /hel");
  const LoopbackSocket half_body = Connect();
  half_body.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na");
  EXPECT_THAT(Get("/hello"), HasSubstr("hello"));
  Stop();  // would wait for a minute, and the test for its time-out
  EXPECT_TRUE(IsClosed(half_body));
  EXPECT_THROW(Connect(), std::runtime_error);
}

TEST_F(HttpServers, StoppingFinishesWhatIsUnderWay) {
  ServerLimits limits;
  limits.grace = milliseconds(60'000);
  Start(limits);
  const LoopbackSocket held = Connect();
  held.Send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  held_.get_future().wait();
  const LoopbackSocket idle = Connect();
  idle.Send("G");
  EXPECT_THAT(Get("/hello"), HasSubstr("hello"));  // the idle one, too, has been taken
  stop_.Cancel();
  EXPECT_TRUE(IsClosed(idle));  // it has begun to stop
  release_.set_value();
  const std::string answer = held.ReadAll(kPatience);
  EXPECT_THAT(answer, HasSubstr("held"));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
}

}  // namespace
}  // namespace statelib::cli
