// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_BATCH_DRIVER_H_
#define STATELIB_CORE_ENGINE_BATCH_DRIVER_H_

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>

#include "core/engine/runtime.h"

namespace statelib::engine {

/// A thread that steps a batch while any sequence of it has something to do, and sleeps otherwise,
/// so that what becomes of the sequences is done beside the computing. As long as it is there its
/// runtime is used on that thread alone: within the sequences, and by others through Run. All
/// methods are for any thread, except that Run and WaitForStep are not for the driver's own.
class BatchDriver {
 public:
  /// The runtime outlives it. Errors: kIo where the system refuses a thread.
  explicit BatchDriver(Runtime& runtime);
  BatchDriver(const BatchDriver&) = delete;
  BatchDriver& operator=(const BatchDriver&) = delete;
  /// Ends the thread after the step that it is in. Nobody waits in a method of it.
  ~BatchDriver();

  /// As Batch::Add and Batch::Remove: they do not wait for the step that runs.
  Batch::Id Add(BatchSequence& sequence);
  void Remove(Batch::Id id) { batch_->Remove(id); }

  /// Calls fn() on the driver's thread between two steps, after one more step at most; calls and
  /// steps take turns. Gives back what it returns or throws. Still done when a step has failed.
  template <typename Function>
  std::invoke_result_t<Function&> Run(Function&& fn) {
    using Result = std::invoke_result_t<Function&>;
    const auto task = std::make_shared<std::packaged_task<Result()>>(std::ref(fn));
    std::future<Result> result = task->get_future();
    Post([task] { (*task)(); });
    return result.get();
  }

  /// Waits, at most so long, for the end of a step that no earlier call has waited for. Errors:
  /// those of Check. For one thread at a time.
  void WaitForStep(std::chrono::milliseconds at_most);

  /// Throws what a step has thrown, if one has: then there are no more steps, and the states of all
  /// are to be discarded.
  void Check() const;

 private:
  void Post(std::function<void()> call);
  void Loop();
  bool may_step() const { return has_work_ && failure_ == nullptr; }

  const std::unique_ptr<Batch> batch_;
  mutable std::mutex mutex_;         // guards what follows
  std::condition_variable wake_;     // of the thread
  std::condition_variable stepped_;  // a step has ended
  std::deque<std::function<void()>> calls_;
  std::exception_ptr failure_;
  bool has_work_ = false;  // a sequence may have something to do
  bool is_stopping_ = false;
  uint64_t steps_ = 0;
  uint64_t steps_seen_ = 0;  // by WaitForStep
  std::thread thread_;
};

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_BATCH_DRIVER_H_
