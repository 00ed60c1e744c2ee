// SPDX-License-Identifier: Apache-2.0
// Ctrl-C in the middle of long work: nothing is lost, what was finished is named, and the same
// command goes on from there.
#include <gmock/gmock.h>

#include <future>

#include "tests/cli/serving.h"
#include "tests/gate_proxy.h"

namespace statelib::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr uint64_t kOverheadBytes = 64 << 10;  // heads, catalogues and manifests of a transfer

class Interrupted : public LibraryTest {
 protected:
  /// So many sentences.
  static std::string Sentences(int count, const std::string& of) {
    std::string text;
    for (int i = 0; i < count; ++i)
      text += "On day " + std::to_string(i) + " the gate of " + of + " was painted red.\n";
    return text;
  }
  ProcessOptions At(const std::string& library) const {
    ProcessOptions options;
    options.environment = {{"STATELIB_HOME", Path(library)}, {"XDG_CONFIG_HOME", Path("config")}};
    return options;
  }
  /// A server of a library that takes pushes, with Token().
  std::unique_ptr<Serving> Serve(const std::string& library) {
    const Arguments arguments = {"--listen", "127.0.0.1:0", "--write-token-file",
                                 AsSecret(Write("token", std::string(Token()) + "\n"))};
    auto server = std::make_unique<Serving>(arguments, At(library),
                                            Path("serve" + std::to_string(servers_++) + ".out"));
    port_ = std::stoi("0" + server->Url().substr(std::string("http://127.0.0.1:").size()));
    return server;
  }
  static const char* Token() { return "0123456789abcdef0123"; }
  ProcessOptions WithToken(const std::string& library) const {
    ProcessOptions options = At(library);
    options.environment["STATELIB_TOKEN"] = Token();
    return options;
  }
  static std::string UrlOf(int port) { return "http://127.0.0.1:" + std::to_string(port); }
  /// Three states here, and a key to sign them.
  void MakeStates() {
    Facts({"key", "create", "me"});
    for (const char* const name : {"a", "b", "c"})
      Facts({"ingest", name, Write(std::string(name) + ".md", Sentences(2, name))});
  }
  void ExpectTheStatesOf(const std::string& library) {
    EXPECT_EQ(Facts({"verify"}, At(library))["sound"], true);
    for (const char* const name : {"a", "b", "c"})
      EXPECT_EQ(Facts({"show", name}, At(library))["id"], Facts({"show", name})["id"]) << name;
  }

  int port_ = 0;

 private:
  int servers_ = 0;
};

TEST_F(Interrupted, IngestOfManyKeepsWhatIsFinishedAndGoesOnInTheRest) {
  Write("texts/a.md", Sentences(1, "Arbon"));
  Write("texts/b.md", Sentences(1, "Bern"));
  Write("texts/z.md", Sentences(300, "Zug"));
  const Arguments ingest = {"ingest", "each", Path("texts"), "--each"};
  ProcessOptions terminal;
  terminal.terminal = true;
  std::string seen;
  bool sent = false;
  terminal.on_output = [&](pid_t process, std::string_view piece) {
    seen += piece;
    if (!sent && seen.find("each/b@1") != std::string::npos) {
      ::kill(process, SIGINT);
      sent = true;
    }
  };
  Arguments slow = ingest;
  slow.insert(slow.end(), {"--threads", "1"});
  const ProcessResult result = Run(slow, terminal);
  EXPECT_EQ(result.exit_code, 130) << result.out;
  EXPECT_THAT(result.out, HasSubstr("each/a@1"));
  EXPECT_THAT(result.out, HasSubstr("stopped; 2 states are finished and 1 begun; run the same "
                                    "command again to go on from there"));
  ExpectSound();
  EXPECT_THAT(Names(), ElementsAre("each/a:latest", "each/b:latest"));
  const auto states = Facts(ingest)["states"];
  ASSERT_EQ(states.size(), 3u);
  EXPECT_EQ(states[0]["action"], "unchanged");
  EXPECT_EQ(states[1]["action"], "unchanged");
  EXPECT_EQ(states[2]["action"], "built");
  EXPECT_GT(states[2]["tokens_restored"], 0);
  EXPECT_EQ(states[2]["reference"]["version"], 1);
  ExpectSound();
}

TEST_F(Interrupted, APushGoesOnBehindTheLastByteThatArrived) {
  MakeStates();
  ASSERT_EQ(Run({"remote", "add", "none", "http://localhost"}, At("served")).exit_code, 0);
  const auto server = Serve("served");
  ASSERT_GT(port_, 0);
  const Arguments dry = {"push", UrlOf(port_), "--all", "--dry-run"};
  const auto whole = Facts(dry, WithToken("library"));
  const uint64_t bytes = whole["bytes_sent"];
  const int objects = whole["objects_sent"];
  const uint64_t held_after = bytes * 3 / 4;
  GateProxy proxy(port_, held_after);
  const Arguments push = {"push", UrlOf(proxy.port()), "--all"};
  ProcessOptions interrupted = WithToken("library");
  std::thread user;
  interrupted.on_start = [&](pid_t process) {
    user = std::thread([&proxy, process] {
      EXPECT_TRUE(proxy.WaitUntilItHolds(std::chrono::seconds(60)));
      ::kill(process, SIGINT);
    });
  };
  const std::string line = ExpectFailure(push, 130, interrupted);
  user.join();
  EXPECT_THAT(line, MatchesRegex("statelib: stopped; [0-9]+ objects? (has|have) arrived; run the "
                                 "same command again to go on from there\n"));
  EXPECT_EQ(Facts({"ls-remote", UrlOf(port_)})["versions"].size(), 0u) << "all or nothing";
  EXPECT_EQ(Facts({"verify"}, At("served"))["sound"], true);

  proxy.Open(port_);
  const auto rest = Facts(push, WithToken("library"));
  EXPECT_GT(rest["objects_present"], 0);
  EXPECT_EQ(rest["objects_present"].get<int>() + rest["objects_sent"].get<int>(), objects);
  EXPECT_LT(proxy.bytes(), bytes + kOverheadBytes) << "something was sent twice";
  ExpectTheStatesOf("served");
  EXPECT_EQ(server->Stop().exit_code, 0);
}

/// Stops a server while `transfer`, whose bytes go through a proxy, is under way, and starts
/// another one of the same library, at which the transfer ends well.
class InterruptedServer : public Interrupted {
 protected:
  void StopServerDuring(const std::string& library,
                        const std::function<nlohmann::json(const std::string& url)>& transfer) {
    auto server = Serve(library);
    ASSERT_GT(port_, 0);
    constexpr uint64_t kHeldAfterBytes = 900'000;  // in the second of three objects
    GateProxy proxy(port_, kHeldAfterBytes);
    auto facts = std::async(std::launch::async, [&] { return transfer(UrlOf(proxy.port())); });
    ASSERT_TRUE(proxy.WaitUntilItHolds(std::chrono::seconds(60)));
    const ProcessResult ended = server->Stop();
    EXPECT_EQ(ended.exit_code, 0);
    EXPECT_EQ(ended.err, "");
    EXPECT_EQ(Facts({"verify"}, At(library))["sound"], true);
    server = Serve(library);
    proxy.Open(port_);
    const uint64_t bytes = facts.get()["bytes"];
    EXPECT_GT(bytes, kHeldAfterBytes);
    EXPECT_LT(proxy.bytes(), bytes + kOverheadBytes) << "something was sent twice";
    EXPECT_EQ(server->Stop().exit_code, 0);
  }
};

TEST_F(InterruptedServer, APullGoesOnAtTheNextServer) {
  MakeStates();
  StopServerDuring("library", [&](const std::string& url) {
    nlohmann::json facts = Facts({"pull", url}, At("elsewhere"));
    facts["bytes"] = facts["bytes_fetched"];
    return facts;
  });
  ExpectTheStatesOf("elsewhere");
}

TEST_F(InterruptedServer, APushGoesOnAtTheNextServer) {
  MakeStates();
  ASSERT_EQ(Run({"remote", "add", "none", "http://localhost"}, At("served")).exit_code, 0);
  StopServerDuring("served", [&](const std::string& url) {
    nlohmann::json facts = Facts({"push", url, "--all"}, WithToken("library"));
    facts["bytes"] = facts["bytes_sent"];
    return facts;
  });
  ExpectTheStatesOf("served");
}

}  // namespace
}  // namespace statelib::cli
