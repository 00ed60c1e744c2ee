// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/split.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace statelib::tokenizer {

namespace {

struct NamedBehavior {
  std::string_view name;
  SplitBehavior behavior;
};

constexpr NamedBehavior kBehaviors[] = {
    {"Removed", SplitBehavior::kRemoved},
    {"Isolated", SplitBehavior::kIsolated},
    {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
    {"MergedWithNext", SplitBehavior::kMergedWithNext},
    {"Contiguous", SplitBehavior::kContiguous},
};

}  // namespace

SplitBehavior ReadSplitBehavior(const JsonValue& json, std::string_view key,
                                SplitBehavior otherwise) {
  const auto value = json.Find(key);
  if (!value) return otherwise;
  for (const NamedBehavior& row : kBehaviors) {
    if (row.name == value->String()) return row.behavior;
  }
  Throw(ErrorKind::kUnsupported,
        "{}: unsupported behavior \"{}\"; supported: Removed, Isolated, MergedWithPrevious, "
        "MergedWithNext, Contiguous",
        value->Path(), value->String());
}

void Splitter::Cut(std::string_view text, std::vector<Span>& pieces) {
  after_match_ = false;
  first_ = pieces.size();
  search_.Start(text);
  size_t done = 0;
  for (Span match; search_.Next(match); done = match.end) {
    if (done < match.begin) Take({done, match.begin}, invert_, pieces);
    Take(match, !invert_, pieces);
  }
  if (done < text.size()) Take({done, text.size()}, invert_, pieces);
  const auto is_empty = [](const Span& span) { return span.begin == span.end; };
  pieces.erase(
      std::remove_if(pieces.begin() + static_cast<std::ptrdiff_t>(first_), pieces.end(), is_empty),
      pieces.end());
}

// An empty match is kept until the end of the text, for its neighbours may join it.
void Splitter::Take(const Span& span, bool is_match, std::vector<Span>& pieces) {
  const bool was_match = std::exchange(after_match_, is_match);
  bool join = false;
  switch (behavior_) {
    case SplitBehavior::kRemoved:
      if (is_match) return;
      break;
    case SplitBehavior::kIsolated:
      break;
    case SplitBehavior::kMergedWithPrevious:
      join = is_match && !was_match;
      break;
    case SplitBehavior::kMergedWithNext:
      join = was_match && !is_match;
      break;
    case SplitBehavior::kContiguous:
      join = is_match == was_match;
      break;
  }
  if (join && pieces.size() > first_) {
    pieces.back().end = span.end;
  } else {
    pieces.push_back(span);
  }
}

}  // namespace statelib::tokenizer
