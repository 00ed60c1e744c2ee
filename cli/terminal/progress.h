// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_TERMINAL_PROGRESS_H_
#define STATELIB_CLI_TERMINAL_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "cli/terminal/output.h"

namespace statelib::cli {

/// One line that says how far long work is: a bar, things done, things a second, the time left.
/// Nothing at all where the output is no terminal. The line is wiped when the object ends, so that
/// what follows stands alone. One thread.
class ProgressBar {
 public:
  /// `label` says what is being done, as "reading handbook.md"; `noun`, of what, as "token".
  ProgressBar(Output& out, std::string label, const char* noun);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// Draws when the last drawing is old enough. `total` may grow or shrink between calls.
  void Update(uint64_t done, uint64_t total);
  /// Wipes the line, so that another can be printed; the next Update() draws it again.
  void Hide();

  /// The line for a given moment, without colour: what Update() draws.
  static std::string Line(const std::string& label, const char* noun, uint64_t done, uint64_t total,
                          double elapsed_seconds, int columns);

 private:
  using Clock = std::chrono::steady_clock;

  Output& out_;
  std::string label_;
  const char* noun_;
  Clock::time_point started_;
  Clock::time_point drawn_;
  bool visible_ = false;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_TERMINAL_PROGRESS_H_
