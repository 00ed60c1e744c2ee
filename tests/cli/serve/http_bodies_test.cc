// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <thread>

#include "cli/serve/file_body.h"
#include "tests/cli/serve/http_server_fixture.h"
#include "tests/temporary_directory.h"

namespace statelib::cli {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Hands out pieces; the last is followed by the end, or by a failure.
class Pieces : public BodySource {
 public:
  explicit Pieces(std::vector<std::string> pieces, bool fails = false)
      : pieces_(std::move(pieces)), fails_(fails) {}

  void Next(Take take) override {
    if (at_ < pieces_.size()) return take(pieces_[at_++]);
    if (fails_) throw std::runtime_error("half of it");
    take("");
  }

 private:
  std::vector<std::string> pieces_;
  bool fails_;
  size_t at_ = 0;
};

/// Hands a piece on when another thread gives it one.
class Later : public BodySource {
 public:
  explicit Later(std::array<std::promise<Take>, 2>& asked) : asked_(asked) {}
  void Next(Take take) override { asked_.at(at_++).set_value(std::move(take)); }

 private:
  std::array<std::promise<Take>, 2>& asked_;
  size_t at_ = 0;
};

class HttpBodies : public HttpServerTest {
 protected:
  struct Taken {
    uint64_t bytes = 0;
    size_t largest_piece = 0;
    bool complete = false;
  };

  void AddRoutes(HttpServer& server) override {
    HttpServerTest::AddRoutes(server);
    const auto answer_with = [&](const char* pattern, std::function<HttpResponse()> make) {
      server.Add({.method = "GET", .pattern = pattern, .handler = [make](const auto&, const auto&) {
                    return make();
                  }});
    };
    answer_with("/known", [] {
      return HttpResponse{.source = std::make_shared<Pieces>(std::vector<std::string>{"ab", "c"}),
                          .source_bytes = 3};
    });
    answer_with("/unknown", [] {
      return HttpResponse{.source = std::make_shared<Pieces>(std::vector<std::string>{"ab", "c"})};
    });
    answer_with("/half", [] {
      return HttpResponse{.source = std::make_shared<Pieces>(std::vector<std::string>{"ab"}, true)};
    });
    answer_with("/short", [] {
      return HttpResponse{.source = std::make_shared<Pieces>(std::vector<std::string>{"ab"}),
                          .source_bytes = 3};
    });
    answer_with("/later",
                [this] { return HttpResponse{.source = std::make_shared<Later>(asked_)}; });
    server.Add(
        {.method = "GET", .pattern = "/file", .handler = [this](const auto& request, const auto&) {
           return AnswerFile(request, file_, "text/plain");
         }});
    server.Add({.method = "PATCH",
                .pattern = "/upload",
                .body = BodyUse::kStreamed,
                .body_bytes_max = 64u << 20,
                .handler = [this](const HttpRequest&, const BodyReader& read) {
                  Taken taken;
                  ++uploads_begun_;
                  taken.complete = read([&](ByteSpan piece) {
                    taken.bytes += piece.size();
                    taken.largest_piece = std::max(taken.largest_piece, piece.size());
                  });
                  taken_.set_value(taken);
                  return HttpResponse{.body = "done"};
                }});
    server.Add({.method = "PATCH",
                .pattern = "/refused",
                .body = BodyUse::kStreamed,
                .body_bytes_max = 64u << 20,
                .handler = [](const HttpRequest&, const BodyReader&) {
                  return HttpResponse{.status = 409, .body = "not now"};
                }});
  }
  std::string UploadHead(size_t bytes) const {
    return "PATCH /upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " +
           std::to_string(bytes) + "\r\n\r\n";
  }

  TemporaryDirectory folder_;
  std::filesystem::path file_ = folder_.Write("file", "0123456789");
  std::promise<Taken> taken_;
  std::array<std::promise<BodySource::Take>, 2> asked_;
  std::atomic<int> uploads_begun_ = 0;
};

TEST_F(HttpBodies, AnAnswerOfKnownLengthIsFollowedByTheNext) {
  Start();
  const std::string answers = Exchange(
      "GET /known HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\nConnection: "
      "close\r\n\r\n");
  EXPECT_THAT(answers, HasSubstr("Content-Length: 3\r\n\r\nabcHTTP/1.1 200 OK"));
}

TEST_F(HttpBodies, AnAnswerOfUnknownLengthComesInChunksOrEndsTheConnection) {
  Start();
  EXPECT_THAT(Get("/unknown"), HasSubstr("chunked\r\nConnection: close\r\n\r\n"
                                         "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"));
  const std::string old = Exchange("GET /unknown HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old.ends_with("\r\n\r\nabc")) << old;
}

TEST_F(HttpBodies, NobodyTakesAPartForTheWhole) {
  Start();
  EXPECT_THAT(Get("/half"), Not(HasSubstr("0\r\n\r\n")));
  EXPECT_TRUE(Get("/short").ends_with("\r\n\r\nab"));  // of three, and the connection is cut
}

TEST_F(HttpBodies, AnAnswerMayBeMadeByAnotherThreadAndLater) {
  Start();
  const LoopbackSocket socket = Connect();
  socket.Send("GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  BodySource::Take take = asked_[0].get_future().get();
  EXPECT_THAT(Get("/hello"), HasSubstr("hello"));
  take("event");
  take = asked_[1].get_future().get();
  take("");
  EXPECT_THAT(socket.ReadAll(kPatience), HasSubstr("5\r\nevent\r\n0\r\n\r\n"));
}

TEST_F(HttpBodies, AFileIsAnsweredWholeOrInPart) {
  Start();
  const auto ask = [&](const std::string& range) {
    return Exchange("GET /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\nRange: " + range +
                    "\r\n\r\n");
  };
  EXPECT_TRUE(Get("/file").ends_with("Content-Length: 10\r\nConnection: close\r\n\r\n0123456789"));
  EXPECT_THAT(ask("bytes=4-"), HasSubstr("Content-Range: bytes 4-9/10"));
  EXPECT_TRUE(ask("bytes=4-").ends_with("\r\n\r\n456789"));
  EXPECT_TRUE(ask("bytes=4-5").ends_with("\r\n\r\n45"));
  EXPECT_TRUE(ask("bytes=-2").ends_with("\r\n\r\n89"));
  EXPECT_TRUE(ask("bytes=0-99999").ends_with("\r\n\r\n0123456789"));
  EXPECT_THAT(ask("bytes=10-"), StartsWith("HTTP/1.1 416"));
  EXPECT_THAT(ask("bytes=18446744073709551615-"), StartsWith("HTTP/1.1 416"));
  for (const char* none : {"bytes=5-4", "bytes=a-", "bytes=-", "bytes=0-1,3-4", "lines=1-",
                           "bytes=99999999999999999999-"}) {
    EXPECT_THAT(ask(none), StartsWith("HTTP/1.1 200")) << none;
  }
}

TEST_F(HttpBodies, ABodyIsStreamedAndNeverHeldWhole) {
  ServerLimits limits;
  limits.streamed_bytes = 100'000;
  Start(limits);
  const size_t size = 8u << 20;
  EXPECT_THAT(Exchange(UploadHead(size) + std::string(size, 'x')), HasSubstr("done"));
  const Taken taken = taken_.get_future().get();
  EXPECT_EQ(taken.bytes, size);
  EXPECT_TRUE(taken.complete);
  EXPECT_LT(taken.largest_piece, 200'000u);
}

TEST_F(HttpBodies, ABodyThatIsCutIsKnownToBe) {
  Start();
  {
    const LoopbackSocket socket = Connect();
    socket.Send(UploadHead(1000) + std::string(300, 'x'));
  }
  const Taken taken = taken_.get_future().get();
  EXPECT_EQ(taken.bytes, 300u);
  EXPECT_FALSE(taken.complete);
}

TEST_F(HttpBodies, AnAnswerBeforeTheBodyReachesAClientThatStillSends) {
  Start();
  const size_t size = 4u << 20;
  EXPECT_THAT(Exchange("PATCH /refused HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                       std::to_string(size) + "\r\n\r\n" + std::string(size, 'x')),
              HasSubstr("not now"));
}

TEST_F(HttpBodies, ABodyThatDripsIsCut) {
  ServerLimits limits;
  limits.first_bytes = milliseconds(300);
  Start(limits);
  const LoopbackSocket socket = Connect();
  socket.Send(UploadHead(100'000));
  std::atomic<bool> done = false;
  std::thread drip([&] {
    while (!done) {
      socket.Send("x");
      std::this_thread::sleep_for(milliseconds(10));
    }
  });
  EXPECT_FALSE(taken_.get_future().get().complete);
  EXPECT_TRUE(IsClosed(socket));
  done = true;
  drip.join();
}

TEST_F(HttpBodies, OneThatTakesItsTimeAtAGoodRateIsNot) {
  ServerLimits limits;
  limits.first_bytes = milliseconds(100);
  limits.bytes_per_second_min = 10'000;
  Start(limits);
  const LoopbackSocket socket = Connect();
  socket.Send(UploadHead(100'000));
  for (int i = 0; i < 10; ++i) {
    socket.Send(std::string(10'000, 'x'));
    std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_THAT(socket.ReadAll(kPatience), HasSubstr("done"));
}

TEST_F(HttpBodies, BodiesThatDoNotComeLeaveWorkersToTheOthers) {
  ServerLimits limits;
  limits.threads = 2;
  limits.waiting_threads = 1;
  Start(limits);
  const LoopbackSocket first = Connect();
  first.Send(UploadHead(1000));
  const LoopbackSocket second = Connect();
  second.Send(UploadHead(1000));
  while (uploads_begun_ < 1) std::this_thread::sleep_for(milliseconds(1));
  for (int i = 0; i < 5; ++i) EXPECT_THAT(Get("/hello"), HasSubstr("hello"));
  EXPECT_EQ(uploads_begun_, 1);
}

TEST_F(HttpBodies, CollectedBodiesAreBoundedTogether) {
  ServerLimits limits;
  limits.collected_bytes = 1500;
  Start(limits);
  const std::string head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n";
  const LoopbackSocket first = Connect();
  // What comes at once is read before the next connection is.
  first.Send(head + "Connection: close\r\n\r\n" + std::string(900, 'x'));
  EXPECT_THAT(Exchange(head + "Connection: close\r\n\r\n" + std::string(1000, 'y')),
              StartsWith("HTTP/1.1 503"));
  first.Send(std::string(100, 'x'));
  EXPECT_THAT(first.ReadAll(kPatience), HasSubstr("xxx"));
  EXPECT_THAT(Exchange(head + "Connection: close\r\n\r\n" + std::string(1000, 'z')),
              HasSubstr("zzz"));
}

}  // namespace
}  // namespace statelib::cli
