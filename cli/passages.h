// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_PASSAGES_H_
#define STATELIB_CLI_PASSAGES_H_

#include "cli/command.h"
#include "statestore/library/search.h"

namespace statelib::cli {

/// {"snippet", "matches", "byte", "rank", "states": [{"name", "tag", "version", "id", "source",
/// "token"}]}.
Json PassageJson(const library::SearchResult& passage);

/// Two lines: where it stands, after `heading`, and the snippet with its matches in colour, or in
/// brackets where there is none.
void PrintPassage(const Context& context, const Shown& heading,
                  const library::SearchResult& passage);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_PASSAGES_H_
