// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/cli/library_fixture.h"
#include "tests/cli/serving.h"

namespace statelib::cli {
namespace {

using ::testing::HasSubstr;

constexpr const char* kRoof =
    "The roof has three leaks. Tomas Lorter is responsible for the roof.\n";

class Remotes : public LibraryTest {
 protected:
  void SetUp() override {
    Facts({"ingest", "roof", Write("roof.md", kRoof)});
    Facts({"key", "create", "me"});
  }
  ProcessOptions Elsewhere() {
    ProcessOptions options;
    options.environment = {{"STATELIB_HOME", Path("elsewhere")}};
    return options;
  }
};

TEST_F(Remotes, AreAddedListedAndForgotten) {
  std::filesystem::create_directory(Path("share"));
  EXPECT_EQ(Facts({"remote", "add", "share", Path("share")})["url"], Path("share"));
  Facts({"remote", "add", "team", "https://states.example.org"});
  EXPECT_EQ(Facts({"remote", "list"})["remotes"].size(), 2u);
  ExpectFailure({"remote", "add", "share", Path("other")}, 2);
  ExpectFailure({"remote", "add", "a/b", Path("other")}, 2);
  ExpectFailure({"remote", "add", "ftp", "ftp://example.org"}, 2);
  EXPECT_THAT(ExpectFailure({"remote", "add", "x", "https://me:secret@example.org"}, 2),
              ::testing::Not(HasSubstr("secret@")));
  Facts({"remote", "rm", "team"});
  ExpectFailure({"remote", "rm", "team"}, 3);
  EXPECT_THAT(ExpectFailure({"ls-remote", "team"}, 3), HasSubstr("there are share"));
  ExpectFailure({"ls-remote", Path("nowhere")}, 3);
}

TEST_F(Remotes, StatesTravelThroughAFolder) {
  std::filesystem::create_directory(Path("share"));
  Facts({"remote", "add", "share", Path("share")});
  EXPECT_EQ(Facts({"push", "share", "roof", "--dry-run"})["objects_sent"], 2);
  EXPECT_EQ(Facts({"ls-remote", "share"})["versions"].size(), 0u);
  const auto pushed = Facts({"push", "share", "--all"});
  EXPECT_EQ(pushed["objects_sent"], 2);
  EXPECT_EQ(Facts({"push", "share", "roof"})["versions"][0]["there_before"], true);
  EXPECT_EQ(Facts({"ls-remote", Path("share"), "ro*"})["versions"][0]["id"],
            Facts({"show", "roof"})["id"]);
  EXPECT_THAT(Run({"ls-remote", "share"}).out, HasSubstr("roof"));
  const auto pulled = Facts({"pull", Path("share"), "roof"}, Elsewhere());
  EXPECT_EQ(pulled["bytes_fetched"], pushed["bytes_sent"]);
  EXPECT_EQ(pulled["versions"][0]["signer"]["name"], "me");
  EXPECT_EQ(Facts({"show", "roof"}, Elsewhere())["id"], Facts({"show", "roof"})["id"]);
  EXPECT_EQ(Facts({"verify"}, Elsewhere())["sound"], true);
  ExpectFailure({"push", "share"}, 2);
  EXPECT_THAT(ExpectFailure({"pull", "/", "roof"}, 2, Elsewhere()), HasSubstr("neither empty"));
}

TEST_F(Remotes, StatesTravelThroughAServerUntilCtrlC) {
  ASSERT_EQ(Run({"remote", "add", "none", "/", "--library", Path("served")}).exit_code, 0);
  ProcessOptions options;
  options.environment = {{"STATELIB_HOME", Path("served")}, {"XDG_CONFIG_HOME", Path("config")}};
  Serving server(
      {"--listen", "127.0.0.1:0", "--write-token-file", Write("token", "0123456789abcdef0123\n")},
      options, Path("serve.out"));
  const std::string url = server.Url();
  ASSERT_NE(url, "");
  Facts({"remote", "add", "team", url, "--token-file", Path("token")});
  const auto pushed = Facts({"push", "team", "roof"});
  EXPECT_EQ(pushed["objects_sent"], 2);
  EXPECT_EQ(Facts({"pull", url}, Elsewhere())["bytes_fetched"], pushed["bytes_sent"]);
  EXPECT_EQ(Facts({"show", "roof"}, Elsewhere())["id"], Facts({"show", "roof"})["id"]);
  ProcessOptions wrong;
  wrong.environment = {{"STATELIB_TOKEN", "wrong-wrong-wrong-wrong"}};
  Facts({"append", "roof", Write("more.md", "The gate is red.\n")});
  EXPECT_THAT(ExpectFailure({"push", "team", "roof"}, 2, wrong), HasSubstr("token"));
  const ProcessResult ended = server.Stop();
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(ended.err, "");
}

TEST_F(Remotes, AServerThatOthersCanReachNeedsATokenToReadOrToBePublic) {
  EXPECT_THAT(ExpectFailure({"serve", "--listen", "0.0.0.0:0"}, 2), HasSubstr("--public"));
  ExpectFailure({"serve", "--listen", "somewhere"}, 2);
  EXPECT_THAT(ExpectFailure({"serve", "--read-token-file", Write("short", "abc\n")}, 2),
              HasSubstr("at least 16"));
}

TEST_F(Remotes, NobodyAtTheAddressIsOneLine) {
  EXPECT_THAT(ExpectFailure({"ls-remote", "http://127.0.0.1:9"}, 7), HasSubstr("127.0.0.1:9"));
}

}  // namespace
}  // namespace statelib::cli
