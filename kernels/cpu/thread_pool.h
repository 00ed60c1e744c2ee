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

/// A range of what is divided.
struct Part {
  size_t begin;
  size_t end;
};

/// The part of [0, count) that is `share`'s, in multiples of `grain`; the last part takes the rest.
inline Part PartOf(size_t count, size_t grain, size_t share, size_t shares) {
  const size_t grains = (count + grain - 1) / grain;
  const size_t begin = grains * share / shares * grain;
  const size_t end = grains * (share + 1) / shares * grain;
  return {begin < count ? begin : count, end < count ? end : count};
}

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

  /// Calls work(part) for pieces of [0, count), `piece` long but the last, and returns when all are
  /// done. Each thread goes through a share of its own in order and then helps with what others
  /// have not begun, so that one that is held up holds nobody up for longer than a piece.
  template <typename Work>
  void RunPieces(bool small, size_t count, size_t piece, const Work& work) {
    if (small || workers_.empty()) {
      work(Part{0, count});
      return;
    }
    for (size_t share = 0; share < shares_; ++share)
      cursors_[share].next.store(PartOf(count, piece, share, shares_).begin,
                                 std::memory_order_relaxed);
    Run(false, [&](size_t share, size_t shares) {
      for (size_t i = 0; i < shares; ++i) {
        const size_t whose = (share + i) % shares;
        const size_t end = PartOf(count, piece, whose, shares).end;
        std::atomic<size_t>& next = cursors_[whose].next;
        for (size_t begin = next.fetch_add(piece, std::memory_order_relaxed); begin < end;
             begin = next.fetch_add(piece, std::memory_order_relaxed))
          work(Part{begin, begin + piece < end ? begin + piece : end});
      }
    });
  }

 private:
  /// Where the next piece of a share begins. Its own cache line: mostly one thread writes it.
  struct alignas(64) Cursor {
    std::atomic<size_t> next{0};
  };

  using Call = void (*)(const void* context, size_t share, size_t shares);

  void Dispatch(Call call, const void* context);
  void WorkerLoop(size_t share);

  std::vector<std::thread> workers_;
  std::vector<Cursor> cursors_;
  Call call_ = nullptr;
  const void* context_ = nullptr;
  size_t shares_ = 1;
  bool stopping_ = false;
  // Each on its own cache line: the caller writes the first and every worker the second.
  alignas(64) std::atomic<uint32_t> epoch_{
      0};  ///< increases with every piece of work; publishes the fields above
  alignas(64) std::atomic<uint32_t> running_{0};  ///< workers that have not finished this piece
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_CPU_THREAD_POOL_H_
