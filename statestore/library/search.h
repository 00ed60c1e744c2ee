// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_SEARCH_H_
#define STATELIB_STATESTORE_LIBRARY_SEARCH_H_

#include <string>
#include <utility>
#include <vector>

#include "statestore/library/library.h"

namespace statelib::library {

struct SearchOptions {
  storage::HolderQuery states;  ///< among which states; its limit is for each passage
  size_t limit = 10;            ///< passages
};

/// A passage that was found.
struct SearchResult {
  std::string snippet;  ///< the passage around the first match, as it was read
  /// The matches in the snippet: first byte and the byte after the last.
  std::vector<std::pair<size_t, size_t>> matches;
  uint64_t byte = 0;  ///< of the first match in the source's text
  double rank = 0;    ///< bm25: the best the smallest
  /// The states that have read it; `first_token` is that of the passage.
  std::vector<storage::TextHolder> holders;
};

/// Finds words in the texts that the library's states have read from documents, the best matches
/// first (bm25). A query is words that must all be there, "a phrase", a word's beginn* and AND, OR,
/// NOT and parentheses; case and accents count for nothing. Reads of the library only what is
/// found. States whose tokens are not kept are not found by what they read. Errors:
/// kInvalidArgument for a query that makes no sense.
std::vector<SearchResult> Search(const Library& library, const std::string& query,
                                 const SearchOptions& options);

/// The passages of what a state has read that have most to do with a question, the best first, as
/// far as their text is kept: those with its words, of which one is enough, but not the ones that
/// every question has. The snippet is where most of them stand together. Of a state that was named
/// by its id none is found where no name leads to it.
std::vector<SearchResult> PassagesFor(const Library& library, const storage::ResolvedState& state,
                                      const std::string& question, size_t limit);

/// The query in the syntax of FTS5, every word quoted. Errors: those of Search.
std::string FullTextQuery(const std::string& query);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_SEARCH_H_
