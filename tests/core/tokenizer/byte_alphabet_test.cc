// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/byte_alphabet.h"

#include <gtest/gtest.h>

#include "core/base/utf8.h"

namespace statelib::tokenizer {
namespace {

TEST(ByteAlphabet, EveryByteHasItsOwnCharacterAndComesBack) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string_view character = CharacterOfByte(static_cast<uint8_t>(byte));
    EXPECT_EQ(ByteOfCharacter(FrontUnit(character).code_point), byte);
  }
  EXPECT_EQ(CharacterOfByte(' '), "\u0120");
  EXPECT_EQ(CharacterOfByte('\n'), "\u010A");
  EXPECT_EQ(CharacterOfByte('\t'), "\u0109");
  EXPECT_EQ(CharacterOfByte(0x7F), "\u0121");
  EXPECT_EQ(CharacterOfByte(0x80), "\u0122");
  EXPECT_EQ(CharacterOfByte(0xA0), "\u0142");
  EXPECT_EQ(CharacterOfByte(0xAD), "\u0143");
  EXPECT_EQ(CharacterOfByte('a'), "a");
  EXPECT_EQ(ByteOfCharacter(' '), std::nullopt);
  EXPECT_EQ(ByteOfCharacter(0x144), std::nullopt);
}

TEST(ByteAlphabet, ATokenWithAnyOtherCharacterStandsForItself) {
  std::string out;
  AppendTokenBytes("\u0120a", out);
  AppendTokenBytes("\u0120 ", out);
  EXPECT_EQ(out, " a\u0120 ");
}

}  // namespace
}  // namespace statelib::tokenizer
