// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/cli/library_fixture.h"
#include "tests/cli/serving.h"

namespace statelib::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kRoof =
    "The roof has three leaks. Tomas Lorter is responsible for the roof.\n";

constexpr const char* kToken = "0123456789abcdef0123\n";

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
  std::filesystem::create_directory(Path("other"));
  ExpectFailure({"remote", "add", "share", Path("other")}, 2);
  ExpectFailure({"remote", "add", "a/b", Path("other")}, 2);
  ExpectFailure({"remote", "add", "ftp", "ftp://example.org"}, 2);
  Facts({"remote", "rm", "team"});
  ExpectFailure({"remote", "rm", "team"}, 3);
  EXPECT_THAT(ExpectFailure({"ls-remote", "team"}, 3), HasSubstr("there are share"));
  ExpectFailure({"ls-remote", Path("nowhere")}, 3);
}

TEST_F(Remotes, ASecretInAnAddressIsRefusedAndNotRepeated) {
  for (const std::string url :
       {"https://me:s3cr3t@example.org", "https://s3cr3t@example.org", "HTTPS://me:s3cr3t@example",
        "https://example.org/?token=s3cr3t", "https://example.org?access_token=s3cr3t",
        "https://example.org/#s3cr3t", "s3://key:s3cr3t@bucket",
        "git+ssh://me:s3cr3t@example.org"}) {
    for (const Arguments& arguments :
         {Arguments{"remote", "add", "x", url}, {"ls-remote", url}, {"pull", url, "a"}}) {
      const std::string line = ExpectFailure(arguments, 2);
      EXPECT_THAT(line, Not(HasSubstr("s3cr3t")));
      EXPECT_THAT(line, HasSubstr("STATELIB_TOKEN"));
    }
  }
  std::ofstream(Library() + "/remotes") << "old\thttps://me:s3cr3t@example.org\t\n";
  EXPECT_THAT(ExpectFailure({"ls-remote", "old"}, 2), Not(HasSubstr("s3cr3t")));
  std::filesystem::create_directory(Path("a@b?c#d"));  // a folder may be called anything
  Facts({"remote", "add", "folder", Path("a@b?c#d")});
}

TEST_F(Remotes, ATokenFileThatOthersCanReadIsRefusedLikeAKey) {
  const std::string token = AsSecret(Write("token", kToken));
  Facts({"remote", "add", "team", "http://127.0.0.1:9", "--token-file", token});
  for (const int mode : {0640, 0604, 0620, 0666}) {
    ASSERT_EQ(::chmod(token.c_str(), static_cast<mode_t>(mode)), 0);
    for (const char* option : {"--read-token-file", "--write-token-file"}) {
      EXPECT_THAT(ExpectFailure({"serve", "--listen", "127.0.0.1:0", option, token}, 2),
                  HasSubstr("chmod 600"));
    }
    EXPECT_THAT(ExpectFailure({"ls-remote", "team"}, 2), HasSubstr("chmod 600"));
  }
  ASSERT_EQ(::chmod(token.c_str(), 0400), 0);
  ExpectFailure({"ls-remote", "team"}, 7);  // nobody is there, but the token is taken
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

TEST_F(Remotes, AFolderMayBeRelativeAndHasToBeThere) {
  std::filesystem::create_directories(Path("work/states"));
  ProcessOptions there;
  there.working_directory = Path("work");
  EXPECT_EQ(Facts({"push", "states", "roof"}, there)["objects_sent"], 2);
  EXPECT_EQ(Facts({"ls-remote", "./states"}, there)["versions"].size(), 1u);
  EXPECT_EQ(Facts({"remote", "add", "share", "states"}, there)["url"], Path("work/states"));
  EXPECT_EQ(Facts({"ls-remote", "share"})["versions"].size(), 1u);
  EXPECT_THAT(ExpectFailure({"remote", "add", "typo", "sttaes"}, 3, there),
              HasSubstr("there is no such folder"));
  EXPECT_THAT(ExpectFailure({"push", "sttaes", "roof"}, 3, there), HasSubstr("sttaes"));
  EXPECT_EQ(Facts({"remote", "list"})["remotes"].size(), 1u);
  // A remote's name goes before a folder of that name.
  std::filesystem::create_directory(Path("work/share"));
  EXPECT_EQ(Facts({"ls-remote", "share"}, there)["versions"].size(), 1u);
}

TEST_F(Remotes, ADivergedNameIsRefusedThenKeptBesideAndThenGoesOn) {
  std::filesystem::create_directory(Path("share"));
  Facts({"remote", "add", "team", Path("share")});
  Facts({"push", "team", "roof"});
  Facts({"ingest", "roof", Write("gate.md", "The gate is red.\n")}, Elsewhere());
  Facts({"remote", "add", "ours", Path("share")}, Elsewhere());
  const std::string refused = ExpectFailure({"push", "ours", "roof"}, 5, Elsewhere());
  for (const char* part : {"roof@1 there", "roof@1 here", "statelib pull", "--force"})
    EXPECT_THAT(refused, HasSubstr(part));
  EXPECT_THAT(Run({"pull", "ours", "--dry-run"}, Elsewhere()).out,
              HasSubstr("would pull ours/roof"));
  EXPECT_THAT(Run({"pull", "ours"}, Elsewhere()).out,
              HasSubstr("roof@1 here is nothing that roof there has been, so both are kept"));
  EXPECT_EQ(Facts({"show", "ours/roof"}, Elsewhere())["id"], Facts({"show", "roof"})["id"]);
  const auto pushed = Facts({"push", "ours", "--all"}, Elsewhere());
  ASSERT_EQ(pushed["versions"].size(), 1u);  // and not what is kept beside
  EXPECT_EQ(pushed["versions"][0]["reference"]["name"], "roof");
  EXPECT_EQ(Facts({"ls-remote", "team"})["versions"].size(), 1u);
  Facts({"append", "roof", Write("more.md", "It leaks.\n")});
  ExpectFailure({"push", "team", "roof"}, 5);
  Facts({"push", "team", "roof", "--force"});
  EXPECT_EQ(Facts({"ls-remote", "team", "--all-versions"})["versions"].size(), 3u);
}

TEST_F(Remotes, StatesTravelThroughAServerUntilCtrlC) {
  Facts({"remote", "add", "none", "http://localhost", "--library", Path("served")});
  ProcessOptions options;
  options.environment = {{"STATELIB_HOME", Path("served")}, {"XDG_CONFIG_HOME", Path("config")}};
  Serving server(
      {"--listen", "127.0.0.1:0", "--write-token-file", AsSecret(Write("token", kToken))}, options,
      Path("serve.out"));
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
  EXPECT_THAT(ExpectFailure({"serve", "--read-token-file", AsSecret(Write("short", "abc\n"))}, 2),
              HasSubstr("at least 16"));
  // A name that begins like the loopback is none.
  EXPECT_THAT(ExpectFailure({"serve", "--listen", "127.example.org:0"}, 2), HasSubstr("--public"));
}

TEST_F(Remotes, NobodyAtTheAddressIsOneLine) {
  EXPECT_THAT(ExpectFailure({"ls-remote", "http://127.0.0.1:9"}, 7), HasSubstr("127.0.0.1:9"));
}

}  // namespace
}  // namespace statelib::cli
