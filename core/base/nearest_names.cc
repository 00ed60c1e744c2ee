// SPDX-License-Identifier: Apache-2.0
#include "core/base/nearest_names.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace statelib {

namespace {

constexpr size_t kSuggestionsMax = 3;

/// Levenshtein distance, two neighbours that have changed places counting once, or `limit` + 1 as
/// soon as it must be larger than `limit`.
size_t EditDistance(std::string_view a, std::string_view b, size_t limit) {
  if (a.size() > b.size() + limit || b.size() > a.size() + limit) return limit + 1;
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    if (*std::min_element(row.begin(), row.end()) > limit) return limit + 1;
    before_last.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::vector<std::string> NearestNames(std::string_view wanted,
                                      const std::vector<std::string>& names) {
  const size_t limit = std::max<size_t>(1, wanted.size() / 3);
  std::vector<std::pair<size_t, std::string>> best;
  for (const std::string& name : names) {
    // One that goes on where the wanted name ends is near however long it is.
    const bool longer = wanted.size() >= 3 && name.starts_with(wanted);
    const size_t distance = longer ? 1 : EditDistance(wanted, name, limit);
    const std::pair<size_t, std::string> found(distance, name);
    if (distance > limit || std::ranges::count(best, found) > 0) continue;
    best.insert(std::ranges::upper_bound(best, found), found);
    if (best.size() > kSuggestionsMax) best.pop_back();
  }
  std::vector<std::string> nearest;
  for (auto& [distance, name] : best) nearest.push_back(std::move(name));
  return nearest;
}

std::string DidYouMean(std::string_view wanted, const std::vector<std::string>& names) {
  const std::vector<std::string> near = NearestNames(wanted, names);
  return near.empty() ? "" : fmt::format("; did you mean {}?", fmt::join(near, " or "));
}

}  // namespace statelib
