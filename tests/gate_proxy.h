// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_GATE_PROXY_H_
#define STATELIB_TESTS_GATE_PROXY_H_

#include <condition_variable>
#include <mutex>
#include <optional>

#include "tests/cutting_proxy.h"

namespace statelib {

/// Stands between a client and a server on the loopback and holds what goes through it, without
/// cutting the connection, once so many bytes have: whoever waits for that knows that a transfer is
/// under way. One connection at a time.
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
      for (int i = 0; i < 2; ++i) {
        if (waits[i].revents != 0 && !Move(waits[i].fd, i == 0 ? server : client)) return;
      }
    }
  }

  bool Move(int from, const LoopbackSocket& to) {
    const uint64_t left = hold_after_bytes_ - bytes_;
    char block[1024];
    const ssize_t got = ::recv(from, block, std::min<uint64_t>(sizeof(block), left), 0);
    if (got <= 0 || !to.Send({block, static_cast<size_t>(got)})) return false;
    const std::lock_guard lock(mutex_);
    bytes_ += static_cast<uint64_t>(got);
    changed_.notify_all();
    return true;
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
