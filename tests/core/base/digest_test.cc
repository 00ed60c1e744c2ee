// SPDX-License-Identifier: Apache-2.0
#include "core/base/digest.h"

#include <gtest/gtest.h>

namespace statelib {
namespace {

TEST(Digest, OfNothingIsThePublishedBlake2b256Value) {
  EXPECT_EQ(HashOf(ByteSpan()).Hex(),
            "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

TEST(Digest, PiecesHashLikeTheWhole) {
  EXPECT_EQ(Hasher().Update("recurrent ").Update("state").Finish(),
            HashOf(AsBytes("recurrent state")));
}

TEST(Digest, FieldsCutDifferentlyHashDifferently) {
  EXPECT_NE(Hasher().UpdateField("ab").UpdateField("c").Finish(),
            Hasher().UpdateField("a").UpdateField("bc").Finish());
}

TEST(Digest, HexIsReadBack) {
  const Digest digest = HashOf(AsBytes("x"));
  EXPECT_EQ(Digest::FromHex(digest.Hex()), digest);
  EXPECT_EQ(digest.ShortHex().size(), 12u);
}

TEST(Digest, AnythingButSixtyFourHexDigitsIsRefused) {
  const std::string hex = HashOf(ByteSpan()).Hex();
  EXPECT_FALSE(Digest::FromHex(""));
  EXPECT_FALSE(Digest::FromHex(hex.substr(1)));
  EXPECT_FALSE(Digest::FromHex(hex + "0"));
  EXPECT_FALSE(Digest::FromHex("g" + hex.substr(1)));
}

}  // namespace
}  // namespace statelib
