// SPDX-License-Identifier: Apache-2.0
#include "core/engine/batch_driver.h"

#include <system_error>
#include <utility>

#include "core/base/error.h"

namespace statelib::engine {

BatchDriver::BatchDriver(Runtime& runtime) : batch_(runtime.MakeBatch()) {
  try {
    thread_ = std::thread([this] { Loop(); });
  } catch (const std::system_error& error) {
    Throw(ErrorKind::kIo, "starting a thread to compute: {}", error.code().message());
  }
}

BatchDriver::~BatchDriver() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

Batch::Id BatchDriver::Add(BatchSequence& sequence) {
  const Batch::Id id = batch_->Add(sequence);
  {
    const std::lock_guard lock(mutex_);
    has_work_ = true;
  }
  wake_.notify_all();
  return id;
}

void BatchDriver::WaitForStep(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  stepped_.wait_for(lock, at_most, [&] { return steps_ != steps_seen_ || failure_ != nullptr; });
  steps_seen_ = steps_;
  lock.unlock();
  Check();
}

void BatchDriver::Check() const {
  std::unique_lock lock(mutex_);
  const std::exception_ptr failure = failure_;
  lock.unlock();
  if (failure != nullptr) std::rethrow_exception(failure);
}

void BatchDriver::Post(std::function<void()> call) {
  {
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(call));
  }
  wake_.notify_all();
}

void BatchDriver::Loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return is_stopping_ || !calls_.empty() || may_step(); });
    if (is_stopping_) return;
    if (!calls_.empty()) {
      std::function<void()> call = std::move(calls_.front());
      calls_.pop_front();
      lock.unlock();
      call();
      call = nullptr;
      lock.lock();
    }
    if (!may_step()) continue;
    has_work_ = false;  // unless one is added meanwhile
    lock.unlock();
    bool stepped = false;
    std::exception_ptr failure;
    try {
      stepped = batch_->Step();
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    failure_ = failure;
    has_work_ = has_work_ || stepped;
    if (!stepped && failure == nullptr) continue;
    ++steps_;
    stepped_.notify_all();
  }
}

}  // namespace statelib::engine
