// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_NEAREST_WORD_H_
#define STATELIB_CLI_NEAREST_WORD_H_

#include <span>
#include <string>
#include <string_view>

namespace statelib::cli {

/// "; did you mean 'ingest'?" for the word of the list that was most likely meant, or nothing when
/// none is near: at most a third of the letters inserted, left out, replaced or swapped with their
/// neighbour.
std::string DidYouMean(std::string_view typed, std::span<const std::string> words);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_NEAREST_WORD_H_
