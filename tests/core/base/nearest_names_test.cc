// SPDX-License-Identifier: Apache-2.0
#include "core/base/nearest_names.h"

#include <gmock/gmock.h>

namespace statelib {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(NearestNames, TheNearestComeFirstAndFarOnesNotAtAll) {
  const auto nearest = [](std::string_view wanted) {
    return NearestNames(wanted, {"catalogue", "handbook", "handbook2", "handbag", "minutes"});
  };
  EXPECT_THAT(nearest("handbok"), ElementsAre("handbook", "handbag", "handbook2"));
  EXPECT_THAT(nearest("minuets"), ElementsAre("minutes"));
  EXPECT_THAT(nearest("cat"), ElementsAre("catalogue"));
  EXPECT_THAT(nearest("zebra"), IsEmpty());
}

TEST(NearestNames, ANameThatComesTwiceIsSaidOnce) {
  EXPECT_THAT(NearestNames("cat", {"bat", "bat", "hat", "bat", "mat"}),
              ElementsAre("bat", "hat", "mat"));
}

TEST(NearestNames, AMessageEndsWithTheNearest) {
  EXPECT_EQ(DidYouMean("handot", {"handbook", "handout", "handout"}), "; did you mean handout?");
  EXPECT_EQ(DidYouMean("at", {"bat", "cat"}), "; did you mean bat or cat?");
  EXPECT_EQ(DidYouMean("zebra", {"bat", "cat"}), "");
}

}  // namespace
}  // namespace statelib
