// SPDX-License-Identifier: Apache-2.0
#include "core/engine/stop_matcher.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace statelib::engine {
namespace {

/// Pushes a text cut into pieces of `length` and returns what came out before a stop text.
std::string Through(StopMatcher matcher, std::string_view text, size_t length) {
  std::string out;
  for (size_t i = 0; i < text.size() && !matcher.found(); i += length)
    out += matcher.Push(text.substr(i, length));
  if (!matcher.found()) out += matcher.Flush();
  return out;
}

TEST(StopMatcher, EndsBeforeTheFirstStopTextHoweverTheTextIsCut) {
  for (size_t length = 1; length <= 20; ++length) {
    EXPECT_EQ(Through(StopMatcher({"\n\n", "END"}), "one\ntwo\n\nthree END", length), "one\ntwo")
        << length;
    EXPECT_EQ(Through(StopMatcher({"END"}), "E EN ENE END", length), "E EN ENE ") << length;
  }
}

TEST(StopMatcher, LetsEverythingThroughWhenNothingMatches) {
  for (size_t length = 1; length <= 8; ++length) {
    EXPECT_EQ(Through(StopMatcher({"xyz"}), "xyxyxy", length), "xyxyxy") << length;
    EXPECT_EQ(Through(StopMatcher({}), "plain", length), "plain") << length;
  }
}

TEST(StopMatcher, HoldsBackOnlyWhatMayBecomeAStopText) {
  StopMatcher matcher({"abc"});
  EXPECT_EQ(matcher.Push("xxab"), "xx");
  EXPECT_TRUE(matcher.holding());
  EXPECT_EQ(matcher.Push("d"), "abd");
  EXPECT_FALSE(matcher.holding());
}

TEST(StopMatcher, AnEmptyStopTextIsRefused) { EXPECT_THROW(StopMatcher({"a", ""}), Error); }

}  // namespace
}  // namespace statelib::engine
