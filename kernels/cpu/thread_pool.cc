// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/thread_pool.h"

#include <system_error>

namespace statelib::kernels {

namespace {

// About 20 microseconds: longer than the gap between two operations of a layer, far shorter than a
// time slice.
constexpr int kSpins = 4000;

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Returns once `value` differs from `old`.
void AwaitChange(const std::atomic<uint32_t>& value, uint32_t old) {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (value.load(std::memory_order_acquire) != old) return;
    Pause();
  }
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  cursors_ = std::vector<Cursor>(static_cast<size_t>(threads));
  workers_.reserve(static_cast<size_t>(threads) - 1);
  try {
    for (int share = 1; share < threads; ++share) {
      workers_.emplace_back([this, share] { WorkerLoop(static_cast<size_t>(share)); });
    }
  } catch (const std::system_error&) {
    // The team is as large as the system allows.
  }
  shares_ = workers_.size() + 1;
}

ThreadPool::~ThreadPool() {
  stopping_ = true;
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::Dispatch(Call call, const void* context) {
  call_ = call;
  context_ = context;
  running_.store(static_cast<uint32_t>(workers_.size()), std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  call(context, 0, shares_);
  for (uint32_t left = running_.load(std::memory_order_acquire); left != 0;
       left = running_.load(std::memory_order_acquire)) {
    AwaitChange(running_, left);
  }
}

void ThreadPool::WorkerLoop(size_t share) {
  uint32_t seen = 0;
  while (true) {
    AwaitChange(epoch_, seen);
    ++seen;  // the caller waits for every worker, so an epoch is never skipped
    if (stopping_) return;
    call_(context_, share, shares_);
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) running_.notify_all();
  }
}

}  // namespace statelib::kernels
