// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_CANCEL_H_
#define STATELIB_CORE_BASE_CANCEL_H_

#include <atomic>

#include "core/base/error.h"

namespace statelib {

/// A flag by which a signal handler or another thread asks long work to stop. Thread-safe and
/// async-signal-safe.
class CancelFlag {
 public:
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  /// Throws kCancelled once Cancel() was called. Long loops call it between steps.
  void Check() const {
    if (cancelled()) throw Error(ErrorKind::kCancelled, "stopped; what was there is unchanged");
  }

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_CANCEL_H_
