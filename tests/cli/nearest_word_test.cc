// SPDX-License-Identifier: Apache-2.0
#include "cli/nearest_word.h"

#include <gtest/gtest.h>

#include <vector>

namespace statelib::cli {
namespace {

const std::vector<std::string> kWords = {"ingest", "list", "mv", "rm", "generate"};

TEST(DidYouMean, FindsTheWordWithOneSlip) {
  EXPECT_EQ(DidYouMean("ingst", kWords), "; did you mean 'ingest'?");
  EXPECT_EQ(DidYouMean("ignest", kWords), "; did you mean 'ingest'?");
  EXPECT_EQ(DidYouMean("lsit", kWords), "; did you mean 'list'?");
  EXPECT_EQ(DidYouMean("generrate", kWords), "; did you mean 'generate'?");
}

TEST(DidYouMean, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(DidYouMean("frobnicate", kWords), "");
  EXPECT_EQ(DidYouMean("", kWords), "");
  EXPECT_EQ(DidYouMean(std::string(1 << 20, 'a'), kWords), "");
}

}  // namespace
}  // namespace statelib::cli
