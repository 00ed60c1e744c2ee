// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_WORKER_POOL_H_
#define STATELIB_CLI_SERVE_WORKER_POOL_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace statelib::cli {

/// A fixed number of threads and a bounded queue. Tasks that wait for a client take at most a part
/// of the threads, so that the others are always there for those that do not. Thread-safe.
class WorkerPool {
 public:
  enum class Kind { kShort, kWaiting };

  WorkerPool(size_t threads, size_t waiting_threads_max, size_t queue_max);
  /// Stop().
  ~WorkerPool();

  /// Queues a task, which must not throw; false, and it is dropped, when the queue is full or the
  /// pool has stopped.
  bool Post(Kind kind, std::function<void()> task);
  /// The same for the next step of something that has been accepted: however full the queue is.
  void Continue(std::function<void()> task);
  /// Drops what is queued and waits for what is under way.
  void Stop();
  /// Waits for what is queued too.
  void Finish();

 private:
  void Work();
  void Join();

  size_t waiting_threads_max_;
  size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> short_;
  std::deque<std::function<void()>> waiting_;
  size_t waiting_running_ = 0;
  bool stopped_ = false;  // takes no more; what is queued is still done
  std::vector<std::thread> threads_;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_WORKER_POOL_H_
