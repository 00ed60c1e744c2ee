// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_SPLIT_H_
#define STATELIB_CORE_TOKENIZER_SPLIT_H_

#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/tokenizer/pattern.h"

namespace statelib::tokenizer {

/// What becomes of the matches when a text is cut at them.
enum class SplitBehavior {
  kRemoved,             ///< "a-b" at "-": a b
  kIsolated,            ///< a - b
  kMergedWithPrevious,  ///< a- b
  kMergedWithNext,      ///< a -b
  kContiguous,          ///< as isolated, but matches in a row stay together: "a--b" is a -- b
};

/// Reads the member `key`: "Removed", "Isolated", … Without it, `otherwise`. Errors: kUnsupported.
SplitBehavior ReadSplitBehavior(const JsonValue& json, std::string_view key,
                                SplitBehavior otherwise);

/// Cuts texts at the matches of a pattern or, inverted, at what lies between them. One thread.
class Splitter {
 public:
  Splitter(const Pattern& pattern, SplitBehavior behavior, bool invert)
      : search_(pattern), behavior_(behavior), invert_(invert) {}

  /// Appends the non-empty pieces of `text`, valid UTF-8, as spans in it.
  void Cut(std::string_view text, std::vector<Span>& pieces);

 private:
  void Take(const Span& span, bool is_match, std::vector<Span>& pieces);

  PatternSearch search_;
  SplitBehavior behavior_;
  bool invert_;
  bool after_match_ = false;  // the last span of the text in hand was a match
  size_t first_ = 0;          // where the pieces of the text in hand begin
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_SPLIT_H_
