// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_HTTP_SERVER_H_
#define STATELIB_CLI_SERVE_HTTP_SERVER_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "cli/serve/router.h"
#include "cli/serve/transport.h"
#include "core/base/cancel.h"

namespace statelib::cli {

/// What a server spends on its clients.
struct ServerLimits {
  size_t connections = 2048;              ///< at once
  size_t connections_per_address = 1536;  ///< of an IPv4 address, or of an IPv6 network of 64 bits
  size_t requests_per_connection = 1000;
  size_t head_bytes = 16u << 10;          ///< of a request; beyond it 431
  size_t threads = 16;                    ///< requests that are worked on at once
  size_t waiting_threads = 8;             ///< of these, those that may wait for bodies to come
  size_t queued_requests = 256;           ///< that wait for a thread; beyond it 503
  uint64_t collected_bytes = 256u << 20;  ///< of all bodies that are collected; beyond it 503
  size_t streamed_bytes = 256u << 10;     ///< of a body that come before its handler takes them

  /// From a connection, or the first byte of a further request, to a complete header, and to the
  /// end of a TLS handshake. Nothing extends it.
  std::chrono::milliseconds head{10'000};
  std::chrono::milliseconds idle{30'000};         ///< a connection between two requests
  std::chrono::milliseconds silence{15'000};      ///< within a body or an answer
  std::chrono::milliseconds first_bytes{10'000};  ///< a body's or an answer's time at first …
  uint64_t bytes_per_second_min = 4096;           ///< … which these extend by a second
  std::chrono::milliseconds linger{1'000};        ///< for a client to take the last answer
  std::chrono::milliseconds grace{2'000};         ///< for what is under way when the server stops
};

/// One line of a log.
struct HttpAnswered {
  std::string client;                 ///< an address
  std::string method;                 ///< empty for a request that was none
  std::string path;                   ///< as it came, without the query
  int status = 0;                     ///< 0: the connection was cut before it was answered
  uint64_t bytes = 0;                 ///< that were sent
  std::chrono::milliseconds took{0};  ///< from the complete header
};

struct HttpServerOptions {
  ServerLimits limits{};
  std::shared_ptr<const TlsContext> tls{};  ///< null: plain HTTP
  HttpGate gate{};                          ///< before all routes and theirs; may be empty
  /// The answer to what the server itself refuses; by default its reason as text.
  std::function<HttpResponse(int status, const std::string& why)> refusal{};
  /// Called for each request by a thread that does nothing else; may be empty.
  std::function<void(const HttpAnswered& answered)> answered{};
};

/// An HTTP/1.1 server whose clients cannot exhaust it. One thread moves the bytes of all
/// connections and never waits; handlers run on a fixed number of workers. A slow client meets a
/// deadline: absolute to a complete header, extended by good numbers of bytes in bodies and
/// answers. Many connections meet a bound, where the oldest connection without a complete header
/// goes, so that connections which ask nothing never keep out one that does. Nor do they push it
/// out: a connection is taken when something has come from it, or after a second of silence, and a
/// plain one is read before the next is taken. Requests that two readers could understand
/// differently are refused (request_parser.h).
class HttpServer {
 public:
  explicit HttpServer(HttpServerOptions options);
  ~HttpServer();

  /// Before Run().
  void Add(HttpRoute route);
  /// Takes a port, any free one for 0, and returns it; from now on connections wait. Errors: kIo.
  int Bind(const std::string& host, int port);
  /// Serves until `cancel` is set: takes no more connections, gives what is under way the grace,
  /// and returns once every handler has returned.
  void Run(const CancelFlag& cancel);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_HTTP_SERVER_H_
