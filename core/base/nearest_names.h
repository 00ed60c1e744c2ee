// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_NEAREST_NAMES_H_
#define STATELIB_CORE_BASE_NEAREST_NAMES_H_

#include <string>
#include <string_view>
#include <vector>

// Pure functions: thread-safe, no errors. Names may come twice.
namespace statelib {

/// Of `names`, the few nearest to `wanted` by edit distance, nearest first; none that differs in
/// more than a third of its characters.
std::vector<std::string> NearestNames(std::string_view wanted,
                                      const std::vector<std::string>& names);

/// The end of a message about a word that names nothing: "; did you mean handbook or handout?" with
/// the nearest of `names`, "" where none is near.
std::string DidYouMean(std::string_view wanted, const std::vector<std::string>& names);

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_NEAREST_NAMES_H_
