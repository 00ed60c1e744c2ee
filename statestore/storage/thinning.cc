// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/thinning.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <unordered_map>
#include <utility>

namespace statelib::storage {

namespace {

constexpr size_t kNone = SIZE_MAX;

/// The states as a forest of prefixes, from which one after the other is taken out.
class Forest {
 public:
  explicit Forest(std::span<const ThinningState> states)
      : states_(states),
        prefix_(states.size(), kNone),
        longer_(states.size()),
        reach_(states.size()) {
    std::unordered_map<int64_t, size_t> places;
    for (size_t i = 0; i < states.size(); ++i) places[states[i].key] = i;
    for (size_t i = 0; i < states.size(); ++i) {
      reach_[i] = states[i].token_count;
      const auto place = states[i].prefix ? places.find(*states[i].prefix) : places.end();
      if (place == places.end()) continue;
      prefix_[i] = place->second;
      longer_[place->second].push_back(i);
    }
    FindReaches();
  }

  double Score(size_t i) const {
    const ThinningState& state = states_[i];
    const uint64_t before = prefix_[i] == kNone ? 0 : states_[prefix_[i]].token_count;
    const auto gap = static_cast<double>(state.token_count - std::min(before, state.token_count));
    const auto reach = static_cast<double>(reach_[i]);
    const double rest = std::max(1.0, reach - static_cast<double>(before));
    return reach * gap / rest / static_cast<double>(std::max<uint64_t>(1, state.stored_bytes));
  }

  /// Takes a state out; returns those whose gap grew.
  std::vector<size_t> Remove(size_t i) {
    std::vector<size_t> longer = std::move(longer_[i]);
    for (const size_t j : longer) {
      prefix_[j] = prefix_[i];
      if (prefix_[i] != kNone) longer_[prefix_[i]].push_back(j);
    }
    return longer;
  }

 private:
  /// The longest state computed from each, longest first so that each is known when it is used.
  void FindReaches() {
    std::vector<size_t> order(states_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(), [this](size_t a, size_t b) {
      return states_[a].token_count > states_[b].token_count;
    });
    for (const size_t i : order) {
      if (prefix_[i] != kNone) reach_[prefix_[i]] = std::max(reach_[prefix_[i]], reach_[i]);
    }
  }

  std::span<const ThinningState> states_;
  std::vector<size_t> prefix_;
  std::vector<std::vector<size_t>> longer_;
  std::vector<uint64_t> reach_;
};

}  // namespace

std::vector<int64_t> ChooseThinned(std::span<const ThinningState> states, uint64_t bytes_max) {
  Forest forest(states);
  uint64_t bytes = 0;
  std::vector<double> scores(states.size());
  std::set<std::pair<double, size_t>> lowest_first;
  for (size_t i = 0; i < states.size(); ++i) {
    if (!states[i].may_go) continue;
    bytes += states[i].stored_bytes;
    scores[i] = forest.Score(i);
    lowest_first.emplace(scores[i], i);
  }
  std::vector<int64_t> thinned;
  while (bytes > bytes_max && !lowest_first.empty()) {
    const size_t i = lowest_first.begin()->second;
    lowest_first.erase(lowest_first.begin());
    bytes -= states[i].stored_bytes;
    thinned.push_back(states[i].key);
    for (const size_t j : forest.Remove(i)) {
      if (lowest_first.erase({scores[j], j}) == 0) continue;
      scores[j] = forest.Score(j);
      lowest_first.emplace(scores[j], j);
    }
  }
  return thinned;
}

}  // namespace statelib::storage
