// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_WAITING_H_
#define STATELIB_CORE_BASE_WAITING_H_

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "core/base/cancel.h"

namespace statelib {

/// How long others are waited for where nobody says: for a lock, and for a remote that is silent.
inline constexpr std::chrono::milliseconds kLockTimeout{600'000};
inline constexpr std::chrono::milliseconds kSilenceTimeout{60'000};
/// After so long somebody is told what is waited for.
inline constexpr std::chrono::milliseconds kWaitNoticeAfter{2'000};

/// How a program waits for what others hold: how long, who is told, and what ends it. A value.
struct Waits {
  Waits(const CancelFlag* cancel_flag = nullptr) : cancel(cancel_flag) {}  // NOLINT: a flag alone

  std::optional<std::chrono::milliseconds> timeout;  ///< empty: the constants above
  /// Called once a wait, in the thread that waits, after kWaitNoticeAfter; may be empty.
  std::function<void(const std::string& what)> on_wait;
  const CancelFlag* cancel;  ///< may be null, else it outlives every wait
};

/// One wait for one thing. One thread.
class Wait {
 public:
  /// Begins now. `otherwise` is the time where `waits`, which is copied, names none; `what` is what
  /// is waited for, as "another process that holds PATH".
  Wait(Waits waits, std::chrono::milliseconds otherwise, std::string what);

  /// To be called every now and then. Errors: kCancelled; kBusy, with what was waited for and what
  /// to do, when the time is over.
  void Check();
  /// Waits so much longer, or to the end of the time, with a Check. Errors: as Check.
  void Sleep(std::chrono::milliseconds pause);
  /// Whether the time is over.
  bool over() const;
  /// Something has moved: the time begins anew.
  void Begin();

  std::chrono::milliseconds timeout() const { return timeout_; }

 private:
  using Clock = std::chrono::steady_clock;

  Waits waits_;
  std::chrono::milliseconds timeout_;
  std::string what_;
  Clock::time_point began_;
  bool told_ = false;
};

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_WAITING_H_
