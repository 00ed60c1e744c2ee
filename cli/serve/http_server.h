// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_HTTP_SERVER_H_
#define STATELIB_CLI_SERVE_HTTP_SERVER_H_

#include <httplib.h>

#include <atomic>
#include <chrono>

namespace statelib::cli {

/// What a server spends on its clients.
struct ServerLimits {
  size_t threads = 16;              ///< requests at once
  size_t waiting_connections = 64;  ///< beyond these the system's own queue fills, and then refuses
  size_t requests_per_connection = 1000;
  std::chrono::milliseconds idle{5'000};          ///< a connection between two requests
  std::chrono::milliseconds silence{15'000};      ///< within a request
  std::chrono::milliseconds first_bytes{10'000};  ///< a request's time before its bytes count
  uint64_t bytes_per_second_min = 4096;           ///< that extend this time
  std::chrono::milliseconds grace{2'000};         ///< for what is under way when the server stops
};

/// An HTTP server whose clients cannot exhaust it: a fixed number of threads, a bounded queue, and
/// a time for every request that only bytes in good number extend, so that a slow client loses its
/// connection instead of keeping a thread. Routes and the rest are httplib's.
class HttpServer : public httplib::Server {
 public:
  explicit HttpServer(const ServerLimits& limits);

  /// Takes no more connections; what is under way has limits.grace left. Any thread.
  void StopSoon();
  bool stopping() const { return stopping_; }

 private:
  bool process_and_close_socket(socket_t socket) override;

  ServerLimits limits_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::chrono::steady_clock::time_point> stop_at_;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_HTTP_SERVER_H_
