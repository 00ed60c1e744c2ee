// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/router.h"

#include <algorithm>

namespace statelib::cli {

namespace {

/// "/a/b" as "a", "b". The path begins with a slash.
std::vector<std::string> PartsOf(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view part = path.substr(0, path.find('/'));
    parts.emplace_back(part);
    path.remove_prefix(part.size());
  }
  return parts;
}

bool Matches(const std::vector<std::string>& pattern, const std::vector<std::string>& parts,
             std::vector<std::string>* places) {
  places->clear();
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == "{*}") {
      std::string rest;
      for (size_t j = i; j < parts.size(); ++j) rest += (j > i ? "/" : "") + parts[j];
      places->push_back(std::move(rest));
      return true;
    }
    if (i >= parts.size()) return false;
    if (pattern[i] == "{}" && !parts[i].empty()) {
      places->push_back(parts[i]);
    } else if (pattern[i] != parts[i]) {
      return false;
    }
  }
  return pattern.size() == parts.size();
}

}  // namespace

void Router::Add(HttpRoute route) {
  std::vector<std::string> parts = PartsOf(route.pattern);
  entries_.push_back({std::move(route), std::move(parts)});
}

const HttpRoute& Router::Find(std::string_view method, std::string_view path,
                              std::vector<std::string>* places, std::string* allowed) const {
  const std::vector<std::string> parts = PartsOf(path);
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  allowed->clear();
  for (const Entry& entry : entries_) {
    if (!Matches(entry.parts, parts, places)) continue;
    if (entry.route.method != wanted) {
      *allowed += (allowed->empty() ? "" : ", ") + entry.route.method;
      continue;
    }
    for (std::string& place : *places) {
      auto decoded = PercentDecoded(place);
      if (!decoded) throw HttpRefusal(400, "a % without two hexadecimal digits in the path");
      place = std::move(*decoded);
    }
    return entry.route;
  }
  if (!allowed->empty()) throw HttpRefusal(405, "this place answers " + *allowed + " alone");
  throw HttpRefusal(404, "there is no such place here");
}

}  // namespace statelib::cli
