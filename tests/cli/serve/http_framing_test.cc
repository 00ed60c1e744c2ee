// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/serve/request_parser.h"
#include "tests/cli/serve/http_server_fixture.h"

namespace statelib::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct BadRequest {
  const char* name;
  const char* bytes;
  const char* status = "400";
};

// What follows each is a whole request, which must not be answered: the two were one to somebody.
constexpr BadRequest kBad[] = {
    {"LengthThatIsNoNumber", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n"},
    {"LengthWithASign", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc"},
    {"LengthBelowZero", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -3\r\n\r\nabc"},
    {"LengthInHex", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\nabc"},
    {"LengthWithASpaceWithin", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3 3\r\n\r\nabc"},
    {"LengthThatIsEmpty", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n"},
    {"LengthBeyondAllNumbers",
     "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n"},
    {"LengthTwice",
     "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"},
    {"LengthsThatDiffer",
     "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\ncontent-length: 4\r\n\r\nabc"},
    {"LengthsInAList", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc"},
    {"LengthAndChunks",
     "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: "
     "chunked\r\n\r\n0\r\n\r\n"},
    {"ChunksAndLength",
     "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: "
     "3\r\n\r\n0\r\n\r\n"},
    {"ChunksTwice",
     "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
     "chunked\r\n\r\n0\r\n\r\n"},
    {"ChunksInHttp10",
     "POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"AnotherCoding",
     "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
    {"ACodingThatLooksLikeChunks",
     "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501"},
    {"AnEmptyCoding", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n",
     "501"},
    {"ACodingAfterAVerticalTab",
     "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n"},
    {"LinesThatEndWithLf", "GET /hello HTTP/1.1\nHost: x\n\n"},
    {"OneLineThatEndsWithLf", "GET /hello HTTP/1.1\r\nHost: x\nX: y\r\n\r\n"},
    {"AHeadThatEndsWithLf", "GET /hello HTTP/1.1\r\nHost: x\r\n\n"},
    {"ACrWithinALine", "GET /hello HTTP/1.1\r\nHost: x\r\nX: a\rContent-Length: 3\r\n\r\n"},
    {"AHeaderInTwoLines", "GET /hello HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n"},
    {"ALengthInTwoLines", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n 3\r\n\r\nabc"},
    {"AFirstHeaderThatGoesOn", "GET /hello HTTP/1.1\r\n Host: x\r\n\r\n"},
    {"ASpaceBeforeTheColon", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\nabc"},
    {"ATabBeforeTheColon",
     "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n"},
    {"AHeaderWithoutAName", "GET /hello HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n"},
    {"AHeaderWithoutAColon", "GET /hello HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n"},
    {"NoHost", "GET /hello HTTP/1.1\r\n\r\n"},
    {"TwoHosts", "GET /hello HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"},
    {"TwoAuthorizations",
     "GET /hello HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer "
     "b\r\n\r\n"},
    {"AnEmptyLineFirst", "\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"TwoSpaces", "GET  /hello HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"NoVersion", "GET /hello\r\nHost: x\r\n\r\n"},
    {"AnotherVersion", "GET /hello HTTP/2.0\r\nHost: x\r\n\r\n"},
    {"ATargetOfAProxy", "GET http://x/hello HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"ATunnel", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n"},
    {"AnExpectation", "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 0\r\n\r\n",
     "417"},
    {"ABodyWhereNoneIsTaken", "GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
     "413"},
    {"AChunkSizeThatIsNone",
     "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nz\r\nabc\r\n0\r\n\r\n"},
    {"AChunkSizeBelowZero",
     "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n"},
    {"AChunkSizeBeyondAllNumbers",
     "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
     "chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n"},
    {"AChunkThatIsLonger",
     "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"},
    {"AChunkLineThatEndsWithLf",
     "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n"},
};

class HttpFraming : public HttpServerTest {};
class BadFraming : public HttpServerTest, public testing::WithParamInterface<BadRequest> {};

TEST_P(BadFraming, IsRefusedAndEndsTheConnection) {
  Start();
  const std::string answers =
      Exchange(std::string(GetParam().bytes) + "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answers, StartsWith(std::string("HTTP/1.1 ") + GetParam().status));
  EXPECT_THAT(answers, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_EQ(Count(answers, "HTTP/1.1 "), 1u);
}

INSTANTIATE_TEST_SUITE_P(Each, BadFraming, testing::ValuesIn(kBad),
                         [](const auto& one) { return std::string(one.param.name); });

TEST_F(HttpFraming, ANulInAHeadIsRefused) {
  Start();
  EXPECT_THAT(Exchange(std::string("GET /hello HTTP/1.1\r\nHost: x\0y\r\n\r\n", 34)),
              StartsWith("HTTP/1.1 400"));
}

TEST_F(HttpFraming, TakesABodyInChunksAndWhatFollowsIt) {
  Start();
  const std::string answers = Exchange(
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n4;note=\"x\"\r\ndefg\r\n0\r\nTrailer: y\r\n\r\n"
      "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answers, HasSubstr("\r\n\r\nabcdefg"));
  EXPECT_THAT(answers, HasSubstr("\r\n\r\nhello"));
}

TEST_F(HttpFraming, AHeadThatIsTooLongIs431) {
  ServerLimits limits;
  limits.head_bytes = 1000;
  Start(limits);
  EXPECT_THAT(Exchange("GET /hello HTTP/1.1\r\nHost: x\r\nX: " + std::string(2000, 'x')),
              StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(Exchange("GET /" + std::string(2000, 'x')), StartsWith("HTTP/1.1 431"));
}

TEST_F(HttpFraming, ABodyThatIsTooLongIs413) {
  Start();
  const std::string head = "POST /echo HTTP/1.1\r\nHost: x\r\n";
  EXPECT_THAT(Exchange(head + "Content-Length: 99999\r\n\r\n"), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(Exchange(head + "Content-Length: 99999\r\n\r\n" + std::string(99999, 'x')),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(Exchange(head + "Transfer-Encoding: chunked\r\n\r\nfff\r\n" + std::string(4095, 'x')),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(Exchange(head + "Expect: 100-continue\r\nContent-Length: 99999\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
}

TEST_F(HttpFraming, AChunkLineOrATrailerWithoutEndIsRefused) {
  Start();
  const std::string head = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_THAT(Exchange(head + "3;" + std::string(100'000, 'x')), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(Exchange(head + "0\r\nX: " + std::string(100'000, 'x')), StartsWith("HTTP/1.1 400"));
}

TEST_F(HttpFraming, AClientThatExpectsItIsToldToContinue) {
  Start();
  const LoopbackSocket socket = Connect();
  socket.Send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n"
      "Content-Length: 3\r\n\r\n");
  ASSERT_TRUE(socket.Readable(kPatience));
  socket.Send("abc");
  const std::string answers = socket.ReadAll(kPatience);
  EXPECT_THAT(answers, StartsWith("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"));
  EXPECT_TRUE(answers.ends_with("abc"));
}

// What a request is does not depend on how the network cuts it.
TEST(RequestParsers, TakeABodyCutAnywhere) {
  const std::string body = "3\r\nabc\r\n0004\r\ndefg\r\n0\r\nTrailer: y\r\n\r\n";
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (size_t step = 1; step <= body.size(); ++step) {
    RequestParser parser(head);
    std::string left;
    std::string taken;
    for (size_t at = 0; at < body.size(); at += step) {
      left += body.substr(at, step);
      left.erase(0, parser.TakeBody(left, [&](ByteSpan piece) { taken += AsText(piece); }));
    }
    EXPECT_TRUE(parser.complete()) << step;
    EXPECT_EQ(taken, "abcdefg") << step;
    EXPECT_EQ(left, "") << step;
  }
}

TEST(RequestParsers, WhatATrailerSaysIsNotHeeded) {
  RequestParser parser("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  parser.TakeBody("0\r\nAuthorization: Bearer x\r\n\r\n", [](ByteSpan) {});
  EXPECT_TRUE(parser.complete());
  EXPECT_EQ(parser.request().Header("Authorization"), "");
}

TEST(Mamba2Scanners, FindTheEndWhereverTheHeadIsCut) {
  const std::string head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  Mamba2Scanner scanner(1000);
  for (size_t size = 0; size < head.size(); ++size)
    EXPECT_FALSE(scanner.Scan(head.substr(0, size))) << size;
  EXPECT_EQ(scanner.Scan(head + "more"), head.size());
}

}  // namespace
}  // namespace statelib::cli
