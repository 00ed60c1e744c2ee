// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <cstdlib>
#include <memory>

#include "cli/serve/transport.h"
#include "tests/cli/serve/http_server_fixture.h"
#include "tests/statestore/expect_error.h"
#include "tests/temporary_directory.h"

namespace statelib::cli {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

/// A client that trusts one certificate.
class TlsClient {
 public:
  TlsClient(int port, const std::string& trusted, int version_max = 0)
      : socket_(LoopbackSocket::Connect(port)),
        context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
        ssl_(nullptr, SSL_free) {
    SSL_CTX_load_verify_file(context_.get(), trusted.c_str());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    if (version_max != 0) {
      SSL_CTX_set_security_level(context_.get(), 0);
      SSL_CTX_set_max_proto_version(context_.get(), version_max);
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set1_host(ssl_.get(), "localhost");
    SSL_set_fd(ssl_.get(), socket_.fd());
    connected_ = SSL_connect(ssl_.get()) == 1;
  }

  bool connected() const { return connected_; }
  void Send(const std::string& bytes) {
    SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
  }
  /// Everything until the server says that it ends.
  std::string ReadAll() {
    std::string text;
    char block[4096];
    int got = 0;
    while ((got = SSL_read(ssl_.get(), block, sizeof(block))) > 0)
      text.append(block, static_cast<size_t>(got));
    ended_well_ = SSL_get_error(ssl_.get(), got) == SSL_ERROR_ZERO_RETURN;
    return text;
  }
  bool ended_well() const { return ended_well_; }

 private:
  LoopbackSocket socket_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  bool connected_ = false;
  bool ended_well_ = false;
};

class Tls : public HttpServerTest {
 protected:
  void SetUp() override {
    Make("server");
    Make("other");
  }
  void Make(const std::string& name) const {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout '" +
        Path(name + ".key") + "' -out '" + Path(name + ".pem") + "' 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0);
    ASSERT_EQ(::chmod(Path(name + ".key").c_str(), 0600), 0);
  }
  std::string Path(const std::string& name) const { return (folder_.path() / name).string(); }
  void StartTls(const ServerLimits& limits = {}) {
    Start(HttpServerOptions{
        .limits = limits,
        .tls = std::make_shared<const TlsContext>(Path("server.pem"), Path("server.key"))});
  }

  TemporaryDirectory folder_;
};

constexpr const char* kLast = "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

TEST_F(Tls, AClientThatTrustsTheCertificateIsAnswered) {
  StartTls();
  TlsClient client(port_, Path("server.pem"));
  ASSERT_TRUE(client.connected());
  client.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" +
              std::string(1000, 'x'));
  client.Send(kLast);
  const std::string answers = client.ReadAll();
  EXPECT_THAT(answers, HasSubstr(std::string(1000, 'x')));
  EXPECT_TRUE(answers.ends_with("hello"));
  EXPECT_TRUE(client.ended_well());
  EXPECT_FALSE(TlsClient(port_, Path("other.pem")).connected());
}

TEST_F(Tls, AnAnswerBeforeTheBodyReachesAClientThatStillSends) {
  StartTls();
  TlsClient client(port_, Path("server.pem"));
  ASSERT_TRUE(client.connected());
  client.Send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" +
              std::string(300'000, 'x'));
  EXPECT_THAT(client.ReadAll(), HasSubstr("HTTP/1.1 413"));
}

TEST_F(Tls, OldVersionsAndPlainHttpAreNotSpoken) {
  StartTls();
  EXPECT_TRUE(TlsClient(port_, Path("server.pem"), TLS1_2_VERSION).connected());
  EXPECT_FALSE(TlsClient(port_, Path("server.pem"), TLS1_1_VERSION).connected());
  EXPECT_EQ(Get("/hello").find("hello"), std::string::npos);
}

TEST_F(Tls, AHandshakeHasTheTimeOfAHeader) {
  ServerLimits limits;
  limits.head = milliseconds(300);
  limits.connections = 2;
  StartTls(limits);
  const LoopbackSocket silent = Connect();
  EXPECT_TRUE(IsClosed(silent));
  const LoopbackSocket first = Connect();
  const LoopbackSocket second = Connect();
  TlsClient client(port_, Path("server.pem"));  // for which the first has to go
  ASSERT_TRUE(client.connected());
  client.Send(kLast);
  EXPECT_THAT(client.ReadAll(), HasSubstr("hello"));
}

TEST_F(Tls, FilesThatDoNotFitAreRefused) {
  const auto load = [&](const std::string& certificate, const std::string& key) {
    return [=, this] { TlsContext(Path(certificate), Path(key)); };
  };
  folder_.Write("text", "no certificate");
  ASSERT_EQ(::chmod(Path("text").c_str(), 0600), 0);
  ExpectError(ErrorKind::kInvalidArgument, "server.pem", load("server.pem", "other.key"));
  ExpectError(ErrorKind::kInvalidArgument, "expected a certificate", load("text", "server.key"));
  ExpectError(ErrorKind::kInvalidArgument, "expected the key", load("server.pem", "text"));
  ExpectError(ErrorKind::kInvalidArgument, "expected the key", load("server.pem", "none"));
  ASSERT_EQ(::chmod(Path("server.key").c_str(), 0640), 0);
  ExpectError(ErrorKind::kInvalidArgument, "chmod 600", load("server.pem", "server.key"));
}

TEST_F(Tls, AKeyBehindAPasswordIsRefusedAndNobodyIsAsked) {
  const std::string command = "openssl ec -aes128 -passout pass:secret -in '" + Path("server.key") +
                              "' -out '" + Path("locked.key") + "' 2>/dev/null && chmod 600 '" +
                              Path("locked.key") + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  ExpectError(ErrorKind::kInvalidArgument, "expected the key",
              [&] { TlsContext(Path("server.pem"), Path("locked.key")); });
}

}  // namespace
}  // namespace statelib::cli
