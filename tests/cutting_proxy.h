// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CUTTING_PROXY_H_
#define STATELIB_TESTS_CUTTING_PROXY_H_

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace statelib {

/// A connected or listening TCP socket on the loopback that closes itself.
class LoopbackSocket {
 public:
  /// Port 0 listens on any free one.
  static LoopbackSocket Listen() {
    LoopbackSocket socket;
    sockaddr_in address = Address(0);
    if (::bind(socket.fd(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
        ::listen(socket.fd(), 64) != 0) {
      throw std::runtime_error("cannot listen");
    }
    return socket;
  }
  static LoopbackSocket Connect(int port) {
    LoopbackSocket socket;
    sockaddr_in address = Address(port);
    if (::connect(socket.fd(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
      throw std::runtime_error("cannot connect");
    return socket;
  }
  explicit LoopbackSocket(int fd) : fd_(fd) {}
  LoopbackSocket(LoopbackSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~LoopbackSocket() {
    if (fd_ >= 0) ::close(fd_);
  }

  int fd() const { return fd_; }
  int port() const {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }
  bool Send(std::string_view text) const {
    return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == std::ssize(text);
  }
  /// Sends on to another what has come, at most so many bytes; how many, or 0 at either's end.
  uint64_t PassOn(const LoopbackSocket& to, uint64_t bytes_max) const {
    char block[1024];
    const ssize_t got = ::recv(fd_, block, std::min<uint64_t>(sizeof(block), bytes_max), 0);
    if (got <= 0 || !to.Send({block, static_cast<size_t>(got)})) return 0;
    return static_cast<uint64_t>(got);
  }
  /// Whether there is something to read, or an end, within the time.
  bool Readable(int milliseconds) const {
    pollfd wait{fd_, POLLIN, 0};
    return ::poll(&wait, 1, milliseconds) > 0;
  }
  /// Everything until the other side closes, or nothing comes for so long.
  std::string ReadAll(int milliseconds) const {
    std::string text;
    char block[4096];
    while (Readable(milliseconds)) {
      const ssize_t got = ::recv(fd_, block, sizeof(block), 0);
      if (got <= 0) break;
      text.append(block, static_cast<size_t>(got));
    }
    return text;
  }

 private:
  LoopbackSocket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  static sockaddr_in Address(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    return address;
  }

  int fd_;
};

/// Stands between a client and a server on the loopback and cuts every connection once so many
/// bytes have gone through it.
class CuttingProxy {
 public:
  CuttingProxy(int server_port, uint64_t cut_after_bytes)
      : server_port_(server_port),
        cut_after_bytes_(cut_after_bytes),
        listener_(LoopbackSocket::Listen()),
        thread_([this] { Run(); }) {}
  ~CuttingProxy() {
    stopped_ = true;
    thread_.join();
  }

  int port() const { return listener_.port(); }
  int connections() const { return connections_; }
  uint64_t bytes() const { return bytes_; }

 private:
  void Run() {
    while (!stopped_) {
      if (!listener_.Readable(20)) continue;
      const LoopbackSocket client(::accept(listener_.fd(), nullptr, nullptr));
      ++connections_;
      Forward(client, LoopbackSocket::Connect(server_port_));
    }
  }

  void Forward(const LoopbackSocket& client, const LoopbackSocket& server) {
    uint64_t left = cut_after_bytes_;
    while (!stopped_ && left > 0) {
      pollfd waits[] = {{client.fd(), POLLIN, 0}, {server.fd(), POLLIN, 0}};
      if (::poll(waits, 2, 20) <= 0) continue;
      for (int i = 0; i < 2 && left > 0; ++i) {
        if (waits[i].revents == 0) continue;
        const uint64_t passed = i == 0 ? client.PassOn(server, left) : server.PassOn(client, left);
        if (passed == 0) return;
        left -= passed;
        bytes_ += passed;
      }
    }
  }

  int server_port_;
  uint64_t cut_after_bytes_;
  LoopbackSocket listener_;
  std::atomic<bool> stopped_ = false;
  std::atomic<int> connections_ = 0;
  std::atomic<uint64_t> bytes_ = 0;
  std::thread thread_;
};

}  // namespace statelib

#endif  // STATELIB_TESTS_CUTTING_PROXY_H_
