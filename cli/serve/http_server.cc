// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/http_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace statelib::cli {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// How often a wait looks whether the server stops.
constexpr milliseconds kTick{100};
constexpr milliseconds kFarewell{300};

/// A fixed number of threads and a queue that makes whoever accepts connections wait when it is
/// full.
class BoundedQueue : public httplib::TaskQueue {
 public:
  BoundedQueue(size_t threads, size_t capacity) : capacity_(capacity) {
    for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
  }

  void enqueue(std::function<void()> task) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return tasks_.size() < capacity_ || shut_down_; });
    tasks_.push_back(std::move(task));
    changed_.notify_all();
  }

  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      shut_down_ = true;
      changed_.notify_all();
    }
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void Work() {
    while (true) {
      std::function<void()> task;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !tasks_.empty() || shut_down_; });
        if (tasks_.empty()) return;
        task = std::move(tasks_.front());
        tasks_.pop_front();
        changed_.notify_all();
      }
      task();
    }
  }

  size_t capacity_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool shut_down_ = false;
  std::vector<std::thread> threads_;
};

/// A connection whose reads and writes fail once its request has had its time.
class PacedStream : public httplib::Stream {
 public:
  PacedStream(socket_t socket, const ServerLimits& limits, const std::atomic<bool>& stopping,
              const std::atomic<Clock::time_point>& stop_at)
      : socket_(socket), limits_(limits), stopping_(stopping), stop_at_(stop_at) {}

  /// Waits for the first byte of a request; false when none comes or the server stops.
  bool WaitForRequest() {
    const Clock::time_point end = Clock::now() + limits_.idle;
    while (!stopping_ && Clock::now() < end) {
      if (taken_ < filled_ || Poll(POLLIN, kTick)) {
        began_ = Clock::now();
        bytes_ = 0;
        return true;
      }
    }
    return false;
  }

  /// Says that no more comes and takes what the client is still sending, for a moment: were it left
  /// unread, the system would reset the connection and the client might lose the answer.
  void Finish() {
    ::shutdown(socket_, SHUT_WR);
    const Clock::time_point end = Clock::now() + kFarewell;
    while (!stopping_ && Clock::now() < end && Poll(POLLIN, kTick)) {
      if (::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT) <= 0) return;
    }
  }

  bool is_readable() const override { return taken_ < filled_ || Wait(POLLIN); }
  bool is_writable() const override { return Wait(POLLOUT); }

  ssize_t read(char* data, size_t size) override {
    if (taken_ == filled_) {
      if (!Wait(POLLIN)) return -1;
      // httplib reads a head byte by byte.
      if (size >= buffer_.size()) return Count(::recv(socket_, data, size, 0));
      const ssize_t got = Count(::recv(socket_, buffer_.data(), buffer_.size(), 0));
      if (got <= 0) return got;
      taken_ = 0;
      filled_ = static_cast<size_t>(got);
    }
    const size_t count = std::min(size, filled_ - taken_);
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(taken_), count, data);
    taken_ += count;
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* data, size_t size) override {
    if (!Wait(POLLOUT)) return -1;
    return Count(::send(socket_, data, size, MSG_NOSIGNAL | MSG_DONTWAIT));
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    Describe(::getpeername, ip, port);
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    Describe(::getsockname, ip, port);
  }
  socket_t socket() const override { return socket_; }

 private:
  bool Poll(short events, milliseconds time) const {
    pollfd wait{socket_, events, 0};
    return ::poll(&wait, 1, static_cast<int>(time.count())) > 0;
  }

  Clock::time_point Deadline() const {
    const auto earned = milliseconds(bytes_ * 1000 / limits_.bytes_per_second_min);
    Clock::time_point end = began_ + limits_.first_bytes + earned;
    if (stopping_) end = std::min(end, stop_at_.load());
    return end;
  }

  bool Wait(short events) const {
    const Clock::time_point silent = Clock::now() + limits_.silence;
    while (Clock::now() < std::min(silent, Deadline())) {
      if (Poll(events, kTick)) return true;
    }
    return false;
  }

  ssize_t Count(ssize_t moved) {
    if (moved > 0) bytes_ += static_cast<uint64_t>(moved);
    return moved;
  }

  template <typename Ask>
  void Describe(Ask ask, std::string& ip, int& port) const {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    if (ask(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return;
    char text[INET6_ADDRSTRLEN] = "";
    if (address.ss_family == AF_INET) {
      const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
      ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
      port = ntohs(v4.sin_port);
    } else if (address.ss_family == AF_INET6) {
      const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
      ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
      port = ntohs(v6.sin6_port);
    }
    ip = text;
  }

  socket_t socket_;
  const ServerLimits& limits_;
  const std::atomic<bool>& stopping_;
  const std::atomic<Clock::time_point>& stop_at_;
  Clock::time_point began_ = Clock::now();
  uint64_t bytes_ = 0;  // of this request, both ways
  std::array<char, 4096> buffer_{};
  size_t taken_ = 0;
  size_t filled_ = 0;
};

}  // namespace

HttpServer::HttpServer(const ServerLimits& limits) : limits_(limits) {
  new_task_queue = [this] {
    return new BoundedQueue(limits_.threads, limits_.waiting_connections);  // httplib deletes it
  };
}

void HttpServer::StopSoon() {
  stop_at_ = Clock::now() + limits_.grace;
  stopping_ = true;
  stop();
}

bool HttpServer::process_and_close_socket(socket_t socket) {
  PacedStream stream(socket, limits_, stopping_, stop_at_);
  for (size_t left = limits_.requests_per_connection; left > 0 && stream.WaitForRequest(); --left) {
    bool closed = false;
    if (!process_request(stream, left == 1 || stopping_, closed, nullptr) || closed) break;
  }
  stream.Finish();
  ::close(socket);
  return true;
}

}  // namespace statelib::cli
