// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CPU_THREAD_POOL_H_
#define STATELIB_KERNELS_CPU_THREAD_POOL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

namespace statelib::kernels {

/// A fixed team of threads, the caller among them, that runs one piece of work at a time in equal
/// shares. Workers spin for a few microseconds after a piece, since the next one of a model's layer
/// follows at once, and then sleep. Run is for one calling thread at a time.
class ThreadPool {
 public:
  /// threads >= 1. Should the system refuse a thread, the team is smaller: results do not depend on
  /// its size.
  explicit ThreadPool(int threads);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  size_t size() const { return workers_.size() + 1; }

  /// Calls work(share, shares) once for every share in [0, shares) and returns when all are done.
  /// Shares are size(), or 1 for work that is too small to hand out. The work must not throw.
  template <typename Work>
  void Run(bool small, const Work& work) {
    if (small || workers_.empty()) {
      work(size_t{0}, size_t{1});
      return;
    }
    Dispatch([](const void* context, size_t share,
                size_t shares) { (*static_cast<const Work*>(context))(share, shares); },
             &work);
  }

 private:
  using Call = void (*)(const void* context, size_t share, size_t shares);

  void Dispatch(Call call, const void* context);
  void WorkerLoop(size_t share);

  std::vector<std::thread> workers_;
  Call call_ = nullptr;
  const void* context_ = nullptr;
  size_t shares_ = 1;
  bool stopping_ = false;
  // Each on its own cache line: the caller writes the first and every worker the second.
  alignas(64) std::atomic<uint32_t> epoch_{
      0};  ///< increases with every piece of work; publishes the fields above
  alignas(64) std::atomic<uint32_t> running_{0};  ///< workers that have not finished this piece
};

/// The part of [0, count) that is `share`'s, in multiples of `grain`; the last part takes the rest.
struct Part {
  size_t begin;
  size_t end;
};
inline Part PartOf(size_t count, size_t grain, size_t share, size_t shares) {
  const size_t grains = (count + grain - 1) / grain;
  const size_t begin = grains * share / shares * grain;
  const size_t end = grains * (share + 1) / shares * grain;
  return {begin < count ? begin : count, end < count ? end : count};
}

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_CPU_THREAD_POOL_H_
