// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/host_policy.h"

#include <gtest/gtest.h>

namespace statelib::cli {
namespace {

int StatusOf(const HostPolicy& policy, const std::string& host, const std::string& origin = "") {
  HttpRequest request;
  request.headers.push_back({"host", host});
  if (!origin.empty()) request.headers.push_back({"Origin", origin});
  const auto refused = policy.Check(request);
  return refused ? refused->status() : 200;
}

TEST(HostPolicies, AnswerToThisMachinesOwnNamesAlone) {
  const HostPolicy policy({});
  for (const char* host : {"localhost", "LocalHost:8427", "localhost.", "127.0.0.1", "127.0.0.1:1",
                           "127.8.9.10:80", "[::1]", "[::1]:8427", "[0:0:0:0:0:0:0:1]:8427"}) {
    EXPECT_EQ(StatusOf(policy, host), 200) << host;
  }
  for (const char* host : {"",
                           "evil.example",
                           "evil.example:8427",
                           "127.evil.example",
                           "127.0.0.1.evil.example",
                           "localhost.evil.example",
                           "evil.example@localhost",
                           "localhost@evil.example",
                           "[::1",
                           "[::1]evil",
                           "[::2]",
                           "::1",
                           "128.0.0.1",
                           "127.1",
                           "0x7f000001",
                           "localhost:80:80",
                           "localhost:8x",
                           "localhost, evil.example",
                           "0.0.0.0",
                           "192.168.0.1"}) {
    EXPECT_EQ(StatusOf(policy, host), 421) << host;
  }
}

TEST(HostPolicies, AnswerToTheNamesThatWereAllowed) {
  const HostPolicy policy({"states.example.org"});
  EXPECT_EQ(StatusOf(policy, "states.example.org"), 200);
  EXPECT_EQ(StatusOf(policy, "States.Example.org:443"), 200);
  EXPECT_EQ(StatusOf(policy, "other.example.org"), 421);
}

TEST(HostPolicies, AnswerNoPageOfAnotherOrigin) {
  const HostPolicy policy({});
  EXPECT_EQ(StatusOf(policy, "localhost:8427", "http://localhost:8427"), 200);
  for (const char* origin : {"http://evil.example", "null", "http://localhost:3000",
                             "http://localhost", "localhost:8427", "http://localhost:8427.evil"}) {
    EXPECT_EQ(StatusOf(policy, "localhost:8427", origin), 403) << origin;
  }
}

}  // namespace
}  // namespace statelib::cli
