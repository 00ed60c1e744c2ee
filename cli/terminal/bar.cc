// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/bar.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace statelib::cli {

std::string Bar(double fraction, size_t columns) {
  constexpr std::array kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  if (!(fraction > 0)) fraction = 0;
  const double limited = std::min(fraction, 1.0);
  auto eighths = static_cast<size_t>(std::floor(limited * static_cast<double>(columns * 8)));
  if (limited > 0) eighths = std::max<size_t>(eighths, 1);
  eighths = std::min(eighths, columns * 8);
  std::string bar;
  for (size_t i = 0; i < eighths / 8; ++i) bar += "█";
  bar += kEighths[eighths % 8];
  for (size_t used = (eighths + 7) / 8; used < columns; ++used) bar += "·";
  return bar;
}

}  // namespace statelib::cli
