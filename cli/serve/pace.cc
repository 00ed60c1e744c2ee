// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/pace.h"

#include <algorithm>
#include <utility>

namespace statelib::cli {

void Pace::Begin(ServerClock::time_point now) {
  began_ = last_ = now;
  paused_.reset();
  bytes_ = 0;
}

void Pace::Moved(size_t bytes, ServerClock::time_point now) {
  bytes_ += bytes;
  last_ = now;
}

void Pace::Pause(ServerClock::time_point now) {
  if (!paused_) paused_ = now;
}

void Pace::Resume(ServerClock::time_point now) {
  if (!paused_) return;
  began_ += now - *std::exchange(paused_, std::nullopt);
  last_ = now;
}

ServerClock::time_point Pace::deadline() const {
  if (paused_) return ServerClock::time_point::max();
  const auto earned = std::chrono::milliseconds(bytes_ * 1000 / limits_.bytes_per_second_min);
  return std::min(began_ + limits_.first_bytes + earned, last_ + limits_.silence);
}

}  // namespace statelib::cli
