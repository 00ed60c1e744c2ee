// SPDX-License-Identifier: Apache-2.0
// `statelib serve` as users start it and as strangers meet it.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <cstdlib>

#include "tests/cli/library_fixture.h"
#include "tests/cli/serving.h"
#include "tests/cutting_proxy.h"

namespace statelib::cli {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ServingTest : public LibraryTest {
 protected:
  void SetUp() override { Facts({"init"}); }

  std::unique_ptr<Serving> Serve(Arguments arguments) {
    arguments.insert(arguments.begin(), {"--listen", "127.0.0.1:0"});
    ProcessOptions options;
    options.environment = {{"STATELIB_HOME", Library()}, {"XDG_CONFIG_HOME", Path("config")}};
    auto server = std::make_unique<Serving>(arguments, options, Path("serve.out"));
    url_ = server->Url();
    EXPECT_NE(url_, "");
    return server;
  }
  std::string Ask(const std::string& headers) const {
    const LoopbackSocket socket =
        LoopbackSocket::Connect(std::stoi("0" + url_.substr(url_.rfind(':') + 1)));
    socket.Send("GET /v1/catalogue HTTP/1.1\r\nConnection: close\r\n" + headers + "\r\n");
    return socket.ReadAll(20'000);
  }

  std::string url_;
};

TEST_F(ServingTest, APageThatPointsItsNameAtTheLoopbackReadsNothing) {
  const auto server = Serve({});
  EXPECT_THAT(Ask("Host: localhost:8427\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Ask("Host: evil.example:8427\r\n"), StartsWith("HTTP/1.1 421"));
  EXPECT_THAT(Ask("Host: localhost\r\nOrigin: http://evil.example\r\n"),
              StartsWith("HTTP/1.1 403"));
}

TEST_F(ServingTest, BehindAProxyAServerAnswersToTheNameThatWasAllowed) {
  const auto server = Serve({"--allow-host", "states.example.org"});
  EXPECT_THAT(Ask("Host: states.example.org\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Ask("Host: evil.example\r\n"), StartsWith("HTTP/1.1 421"));
}

TEST_F(ServingTest, WithATokenToReadAnyNameWillDo) {
  const std::string token = "0123456789abcdef0123";
  const auto server = Serve({"--read-token-file", AsSecret(Write("token", token + "\n"))});
  EXPECT_THAT(Ask("Host: elsewhere.example\r\nAuthorization: Bearer " + token + "\r\n"),
              StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(Ask("Host: localhost\r\n"), StartsWith("HTTP/1.1 401"));
}

TEST_F(ServingTest, TheLogSaysWhenAndWho) {
  const auto server = Serve({"--log"});
  Ask("Host: localhost\r\n");
  EXPECT_THAT(server->Stop().err,
              ContainsRegex("^20[0-9-]+T[0-9:]+Z 127.0.0.1 GET /v1/catalogue 200 "));
}

TEST_F(ServingTest, FewOpenFilesAreSaidAndMeanFewConnections) {
  ProcessOptions options;
  options.environment = {{"STATELIB_HOME", Library()}, {"XDG_CONFIG_HOME", Path("config")}};
  options.before_start = [] {
    const rlimit few{100, 200};  // the first is raised to the second
    ::setrlimit(RLIMIT_NOFILE, &few);
  };
  Serving server({"--listen", "127.0.0.1:0"}, options, Path("serve.out"));
  url_ = server.Url();
  EXPECT_THAT(Ask("Host: localhost\r\n"), StartsWith("HTTP/1.1 200"));
  server.Stop();
  EXPECT_THAT(nlohmann::json::parse(Read(Path("serve.out")))["notes"].dump(),
              HasSubstr("200 files may be open"));
}

TEST_F(ServingTest, ACertificateMakesItHttps) {
  const std::string key = Path("key.pem");
  const std::string certificate = Path("certificate.pem");
  const std::string make =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
      "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout '" +
      key + "' -out '" + certificate + "' 2>/dev/null";
  ASSERT_EQ(std::system(make.c_str()), 0);
  AsSecret(key);
  const auto server = Serve({"--tls-cert", certificate, "--tls-key", key});
  EXPECT_THAT(url_, StartsWith("https://127.0.0.1:"));
  const std::string ask =
      "python3 -c 'import ssl, sys, urllib.request\n"
      "context = ssl.create_default_context(cafile=sys.argv[2])\n"
      "urllib.request.urlopen(sys.argv[1] + \"/v1/catalogue\", context=context).read()' '" +
      url_ + "' '" + certificate + "'";
  EXPECT_EQ(std::system(ask.c_str()), 0);
  EXPECT_THAT(Ask("Host: localhost\r\n"), Not(HasSubstr("200")));
  ExpectFailure({"serve", "--tls-cert", certificate}, 2);
  ASSERT_EQ(::chmod(key.c_str(), 0644), 0);
  EXPECT_THAT(ExpectFailure({"serve", "--tls-cert", certificate, "--tls-key", key}, 2),
              HasSubstr("chmod 600"));
}

}  // namespace
}  // namespace statelib::cli
