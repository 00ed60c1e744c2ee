// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_GATE_PROXY_H_
#define STATELIB_TESTS_GATE_PROXY_H_

#include <condition_variable>
#include <mutex>
#include <optional>

#include "tests/cutting_proxy.h"

namespace statelib {

/// Stands between a client and a server on the loopback and holds what goes through it, without
/// cutting the connection, once so many bytes have: a test that waits for that knows that a
/// transfer is under way. One connection at a time.
class GateProxy {
 public:
  GateProxy(int server_port, uint64_t hold_after_bytes)
      : server_port_(server_port),
        hold_after_bytes_(hold_after_bytes),
        listener_(LoopbackSocket::Listen()),
        thread_([this] { Run(); }) {}
  ~GateProxy() {
    stopped_ = true;
    thread_.join();
  }

  int port() const { return listener_.port(); }
  uint64_t bytes() const { return bytes_; }
  /// Whether it came to hold within the time.
  bool WaitUntilItHolds(std::chrono::seconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [this] { return bytes_ >= hold_after_bytes_; });
  }
  /// Lets everything through from now on, to another server perhaps.
  void Open(int server_port) {
    server_port_ = server_port;
    hold_after_bytes_ = UINT64_MAX;
  }

 private:
  void Run() {
    while (!stopped_) {
      if (!listener_.Readable(20)) continue;
      const LoopbackSocket client(::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
      try {
        Forward(client, LoopbackSocket::Connect(server_port_));
      } catch (const std::runtime_error&) {
        // Nobody listens there: the client is told by losing its connection.
      }
    }
  }

  void Forward(const LoopbackSocket& client, const LoopbackSocket& server) {
    while (!stopped_) {
      const bool holds = bytes_ >= hold_after_bytes_;
      const short events = holds ? POLLRDHUP : POLLIN;
      pollfd waits[] = {{client.fd(), events, 0}, {server.fd(), events, 0}};
      if (::poll(waits, 2, 20) <= 0) continue;
      if (holds) return;  // one side has gone
      if (waits[0].revents != 0 && !Move(client, server)) return;
      if (waits[1].revents != 0 && !Move(server, client)) return;
    }
  }

  bool Move(const LoopbackSocket& from, const LoopbackSocket& to) {
    const uint64_t passed = from.PassOn(to, hold_after_bytes_ - bytes_);
    const std::lock_guard lock(mutex_);
    bytes_ += passed;
    changed_.notify_all();
    return passed > 0;
  }

  std::atomic<int> server_port_;
  std::atomic<uint64_t> hold_after_bytes_;
  LoopbackSocket listener_;
  std::atomic<bool> stopped_ = false;
  std::atomic<uint64_t> bytes_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread thread_;
};

}  // namespace statelib

#endif  // STATELIB_TESTS_GATE_PROXY_H_
