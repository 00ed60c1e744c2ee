// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_PACE_H_
#define STATELIB_CLI_SERVE_PACE_H_

#include <chrono>
#include <optional>

#include "cli/serve/http_server.h"

namespace statelib::cli {

using ServerClock = std::chrono::steady_clock;

/// The deadline of something that may take long while it moves.
class Pace {
 public:
  explicit Pace(const ServerLimits& limits) : limits_(limits) {}

  void Begin(ServerClock::time_point now);
  void Moved(size_t bytes, ServerClock::time_point now);
  /// While we are the ones who are waited for, no time passes.
  void Pause(ServerClock::time_point now);
  void Resume(ServerClock::time_point now);
  ServerClock::time_point deadline() const;

 private:
  const ServerLimits& limits_;
  ServerClock::time_point began_;
  ServerClock::time_point last_;
  std::optional<ServerClock::time_point> paused_;
  uint64_t bytes_ = 0;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_PACE_H_
