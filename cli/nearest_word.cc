// SPDX-License-Identifier: Apache-2.0
#include "cli/nearest_word.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace statelib::cli {

namespace {

// The optimal string alignment distance: one for each letter that is inserted, left out or
// replaced, and for two neighbours that are swapped.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                             cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string DidYouMean(std::string_view typed, std::span<const std::string> words) {
  constexpr size_t kTypedMax = 64;  // the cost grows with the square of the length
  if (typed.size() > kTypedMax) return "";
  const std::string* best = nullptr;
  size_t best_distance = 0;
  for (const std::string& word : words) {
    const size_t distance = Distance(typed, word);
    if (distance * 3 > std::max(word.size(), size_t{3})) continue;
    if (best == nullptr || distance < best_distance) {
      best = &word;
      best_distance = distance;
    }
  }
  return best == nullptr ? "" : fmt::format("; did you mean '{}'?", *best);
}

}  // namespace statelib::cli
