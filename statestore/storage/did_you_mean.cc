// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/did_you_mean.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "statestore/storage/reference.h"

namespace statelib::storage {

std::string DidYouMean(std::string_view wanted, const std::vector<std::string>& names) {
  std::vector<std::string> near =
      NearestNames(wanted, [&names](const std::function<void(const std::string&)>& visit) {
        std::for_each(names.begin(), names.end(), visit);
      });
  near.erase(std::unique(near.begin(), near.end()), near.end());
  return near.empty() ? "" : fmt::format("; did you mean {}?", fmt::join(near, " or "));
}

}  // namespace statelib::storage
