// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"

#include <gtest/gtest.h>

namespace statelib {
namespace {

TEST(Error, StaysOneLineThatCanBeShownWhateverNamesItsMessageHas) {
  const Error error(ErrorKind::kNotFound,
                    "there is no state a; did you mean b\nc\x1b[2J\xff or \xe2\x80\xae?");
  EXPECT_STREQ(error.what(), "there is no state a; did you mean b\\nc\\x1b[2J\\xff or \\u202e?");
}

TEST(Error, LeavesTheLettersOfEveryScriptAndWhatWasEscapedBefore) {
  const std::string message =
      "\"Stra\xc3\x9f"
      "e\" \xe6\x9b\xb8: found \"a\\x0ab\"";
  EXPECT_EQ(Error(ErrorKind::kCorrupt, message).what(), message);
}

}  // namespace
}  // namespace statelib
