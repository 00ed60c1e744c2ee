// SPDX-License-Identifier: Apache-2.0
#include "core/base/waiting.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "core/base/error.h"

namespace statelib {

namespace {

constexpr std::chrono::milliseconds kNap{50};  // at the longest between two looks at the flag

}  // namespace

Wait::Wait(Waits waits, std::chrono::milliseconds otherwise, std::string what)
    : waits_(std::move(waits)),
      timeout_(waits_.timeout.value_or(otherwise)),
      what_(std::move(what)),
      began_(Clock::now()) {}

void Wait::Check() {
  if (waits_.cancel != nullptr) waits_.cancel->Check();
  const auto waited = Clock::now() - began_;
  if (waited >= kWaitNoticeAfter && waits_.on_wait && !std::exchange(told_, true))
    waits_.on_wait(what_);
  if (!over()) return;
  Throw(ErrorKind::kBusy,
        "waited {} s for {}; run the command again later, or give it longer with --timeout SECONDS",
        static_cast<double>(timeout_.count()) / 1000, what_);
}

void Wait::Sleep(std::chrono::milliseconds pause) {
  const auto end = std::min(Clock::now() + pause, began_ + timeout_);
  Check();
  for (auto now = Clock::now(); now < end; now = Clock::now()) {
    std::this_thread::sleep_for(std::min<Clock::duration>(end - now, kNap));
    Check();
  }
}

bool Wait::over() const { return Clock::now() - began_ >= timeout_; }

void Wait::Begin() {
  began_ = Clock::now();
  told_ = false;
}

}  // namespace statelib
