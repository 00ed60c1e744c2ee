// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/terminal/bar.h"
#include "cli/terminal/display_width.h"
#include "cli/terminal/quantities.h"
#include "core/base/error.h"
#include "core/base/printable.h"

namespace statelib::cli {

namespace {

constexpr std::chrono::milliseconds kRedrawInterval{100};
constexpr size_t kBarColumns = 24;
constexpr const char* kWipe = "\r\x1b[K";

double Seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

ProgressBar::ProgressBar(Output& out, std::string label, const char* noun)
    : out_(out), label_(std::move(label)), noun_(noun), started_(Clock::now()) {}

ProgressBar::~ProgressBar() {
  try {
    Hide();
  } catch (const Error&) {
    // A terminal that has gone needs no wiping.
  } catch (const OutputClosed&) {
  }
}

void ProgressBar::Hide() {
  if (!visible_) return;
  visible_ = false;
  out_.Write(Shown::Controls(kWipe));
  out_.Flush();
}

void ProgressBar::Update(uint64_t done, uint64_t total) {
  if (!out_.is_terminal()) return;
  const Clock::time_point now = Clock::now();
  if (visible_ && now - drawn_ < kRedrawInterval) return;
  drawn_ = now;
  visible_ = true;
  out_.Write(Shown::Controls(kWipe) + Shown::Line(Line(label_, noun_, done, total,
                                                       Seconds(now - started_), out_.columns())));
  out_.Flush();
}

std::string ProgressBar::Line(const std::string& label, const char* noun, uint64_t done,
                              uint64_t total, double elapsed_seconds, int columns) {
  const double fraction =
      total == 0 ? 0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const double rate = elapsed_seconds > 0 ? static_cast<double>(done) / elapsed_seconds : 0;
  const std::string shown = Printable(label);
  const std::string part = fmt::format("{:3.0f} %", fraction * 100);
  const std::string counts = fmt::format("{} of {}", HumanCount(done), HumanCount(total, noun));
  std::string speed;
  std::string left;
  if (done > 0 && rate > 0) {
    speed = fmt::format("  {} {}s/s", HumanRate(rate), noun);
    left = fmt::format("  {} left",
                       HumanDuration(static_cast<double>(total - std::min(done, total)) / rate));
  }
  // The last column stays free: some terminals wrap when it is written.
  const auto width = static_cast<size_t>(std::max(columns - 1, 0));
  const std::string bar = Bar(fraction, kBarColumns);
  for (const std::string& line :
       {shown + "  " + bar + "  " + part + "  " + counts + speed + left,
        part + "  " + counts + speed + left, part + "  " + counts + left, part + left})
    if (DisplayWidth(line) <= width) return line;
  return Shorten(part, width);
}

}  // namespace statelib::cli
