// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CLI_SERVE_HTTP_SERVER_FIXTURE_H_
#define STATELIB_TESTS_CLI_SERVE_HTTP_SERVER_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "cli/serve/http_server.h"
#include "tests/cutting_proxy.h"

namespace statelib::cli {

/// A server with routes of a test, spoken to by raw sockets.
class HttpServerTest : public testing::Test {
 protected:
  void Start(HttpServerOptions options) {
    server_ = std::make_unique<HttpServer>(std::move(options));
    AddRoutes(*server_);
    port_ = server_->Bind("127.0.0.1", 0);
    thread_ = std::thread([this] { server_->Run(stop_); });
  }
  void Start(const ServerLimits& limits = {}) { Start(HttpServerOptions{.limits = limits}); }
  void Stop() {
    stop_.Cancel();
    if (thread_.joinable()) thread_.join();
  }
  void TearDown() override { Stop(); }

  virtual void AddRoutes(HttpServer& server) {
    server.Add({.method = "GET", .pattern = "/hello", .handler = [](const auto&, const auto&) {
                  return HttpResponse{.headers = {{"Content-Type", "text/plain"}}, .body = "hello"};
                }});
    server.Add({.method = "POST",
                .pattern = "/echo",
                .body = BodyUse::kCollected,
                .body_bytes_max = 1000,
                .handler = [](const HttpRequest& request, const auto&) {
                  return HttpResponse{.body = request.body};
                }});
  }

  LoopbackSocket Connect() const { return LoopbackSocket::Connect(port_); }
  /// What comes back until the server closes.
  std::string Exchange(const std::string& bytes) const {
    const LoopbackSocket socket = Connect();
    socket.Send(bytes);
    return socket.ReadAll(kPatience);
  }
  std::string Get(const std::string& path) const {
    return Exchange("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }
  static size_t Count(const std::string& text, const std::string& what) {
    size_t count = 0;
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
      ++count;
    return count;
  }
  /// Whether the other side has closed the connection, or does within the patience.
  static bool IsClosed(const LoopbackSocket& socket) {
    socket.ReadAll(kPatience);
    return socket.Readable(0);
  }

  static constexpr int kPatience = 20'000;  // milliseconds; nothing is measured against it

  std::unique_ptr<HttpServer> server_;
  CancelFlag stop_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace statelib::cli

#endif  // STATELIB_TESTS_CLI_SERVE_HTTP_SERVER_FIXTURE_H_
