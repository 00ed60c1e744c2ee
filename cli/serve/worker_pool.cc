// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/worker_pool.h"

#include <utility>

namespace statelib::cli {

WorkerPool::WorkerPool(size_t threads, size_t waiting_threads_max, size_t queue_max)
    : waiting_threads_max_(waiting_threads_max), queue_max_(queue_max) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

WorkerPool::~WorkerPool() { Stop(); }

bool WorkerPool::Post(Kind kind, std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (stopped_ || short_.size() + waiting_.size() >= queue_max_) return false;
  (kind == Kind::kShort ? short_ : waiting_).push_back(std::move(task));
  changed_.notify_one();
  return true;
}

void WorkerPool::Continue(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  short_.push_back(std::move(task));
  changed_.notify_one();
}

void WorkerPool::Stop() {
  std::deque<std::function<void()>> dropped[2];  // destroyed without the lock
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped[0].swap(short_);
    dropped[1].swap(waiting_);
  }
  Join();
}

void WorkerPool::Finish() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  Join();
}

void WorkerPool::Join() {
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void WorkerPool::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto may_wait = [&] {
      return !waiting_.empty() && waiting_running_ < waiting_threads_max_;
    };
    changed_.wait(lock, [&] { return stopped_ || !short_.empty() || may_wait(); });
    // One that cannot take what is left ends; those that hold it up will.
    const bool waits = short_.empty();
    if (waits && !may_wait()) return;
    auto& queue = waits ? waiting_ : short_;
    std::function<void()> task = std::move(queue.front());
    queue.pop_front();
    waiting_running_ += waits ? 1 : 0;
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
    waiting_running_ -= waits ? 1 : 0;
    if (waits) changed_.notify_one();
  }
}

}  // namespace statelib::cli
