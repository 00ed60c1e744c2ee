// SPDX-License-Identifier: Apache-2.0
#include "core/base/signature.h"

#include <gtest/gtest.h>

#include "core/base/digest.h"

namespace statelib {
namespace {

std::array<std::byte, 32> FromHex(const char* hex) { return Digest::FromHex(hex)->bytes; }

// RFC 8032, section 7.1, test 3.
constexpr const char* kSeed = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7";
constexpr const char* kPublic = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";
constexpr const char* kSignatureHead =
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac";
constexpr const char* kSignatureTail =
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";

TEST(SigningKeys, SignAsThePublishedVectorSays) {
  const SigningKey key = SigningKey::FromSeed(FromHex(kSeed));
  EXPECT_EQ(key.public_key().Text(), std::string("ed25519:") + kPublic);
  const Signature signature = key.Sign(AsBytes("\xaf\x82"));
  const ByteSpan bytes(signature.bytes);
  EXPECT_EQ(Digest::FromBytes(bytes.first(32))->Hex(), kSignatureHead);
  EXPECT_EQ(Digest::FromBytes(bytes.last(32))->Hex(), kSignatureTail);
  EXPECT_TRUE(signature.Verifies(AsBytes("\xaf\x82")));
}

TEST(SigningKeys, AnyChangedBitIsNoticed) {
  const SigningKey key = SigningKey::Create();
  const Signature sound = key.Sign(AsBytes("message"));
  EXPECT_FALSE(sound.Verifies(AsBytes("massage")));
  for (size_t bit = 0; bit < 512; ++bit) {
    Signature signature = sound;
    signature.bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(signature.Verifies(AsBytes("message"))) << bit;
  }
  Signature other = sound;
  other.signer = SigningKey::Create().public_key();
  EXPECT_FALSE(other.Verifies(AsBytes("message")));
}

TEST(SigningKeys, ComeBackFromTheirSeed) {
  const SigningKey key = SigningKey::Create();
  EXPECT_NE(key.public_key(), SigningKey::Create().public_key());
  EXPECT_EQ(SigningKey::FromSeed(key.Seed()).Sign(AsBytes("x")), key.Sign(AsBytes("x")));
}

TEST(PublicKeys, AreReadAsTheyAreWrittenAndInNoOtherForm) {
  const PublicKey key = SigningKey::Create().public_key();
  EXPECT_EQ(PublicKey::FromText(key.Text()), key);
  EXPECT_TRUE(key.Text().starts_with(key.ShortText()));
  EXPECT_FALSE(PublicKey::FromText(key.Text() + "0"));
  EXPECT_FALSE(PublicKey::FromText(key.Text().substr(1)));
  EXPECT_FALSE(PublicKey::FromText(""));
}

}  // namespace
}  // namespace statelib
