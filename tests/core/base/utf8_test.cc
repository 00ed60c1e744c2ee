// SPDX-License-Identifier: Apache-2.0
#include "core/base/utf8.h"

#include <gtest/gtest.h>

namespace statelib {
namespace {

std::string Lossy(std::string_view bytes) {
  std::string out;
  AppendLossy(bytes, out);
  return out;
}

TEST(Utf8, EveryCodePointComesBack) {
  for (char32_t code_point = 0; code_point < 0x110000; ++code_point) {
    if (code_point >= 0xD800 && code_point < 0xE000) continue;
    std::string text;
    AppendCodePoint(code_point, text);
    const Utf8Unit unit = FrontUnit(text);
    ASSERT_EQ(unit.kind, Utf8Unit::Kind::kCharacter);
    ASSERT_EQ(unit.code_point, code_point);
    ASSERT_EQ(unit.length, text.size());
    ASSERT_EQ(ValidPrefixLength(text), text.size());
    ASSERT_EQ(LastCharacterBegin("x" + text), 1u);
  }
}

TEST(Utf8, EveryMaximalInvalidSequenceIsOneReplacementCharacter) {
  // The Unicode Standard 15, section 3.9, tables 3-8 to 3-11.
  EXPECT_EQ(Lossy("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
  EXPECT_EQ(Lossy("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
  EXPECT_EQ(Lossy("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA\uFFFD\uFFFDB");
  EXPECT_EQ(Lossy("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), "\uFFFD\uFFFD\uFFFD\uFFFDA");
}

TEST(Utf8, AnUnfinishedEndIsLeft) {
  for (const std::string_view tail :
       {"\xC3", "\xE2", "\xE2\x82", "\xF0", "\xF0\x9F", "\xF0\x9F\x98"}) {
    std::string out;
    const std::string bytes = "long enough" + std::string(tail);
    EXPECT_EQ(AppendComplete(bytes, out), bytes.size() - tail.size());
    EXPECT_EQ(out, "long enough");
    EXPECT_EQ(Lossy(bytes), "long enough\uFFFD");
  }
}

TEST(Utf8, WhiteSpaceIsUnicodesList) {
  size_t count = 0;
  for (char32_t code_point = 0; code_point < 0x110000; ++code_point)
    count += IsWhiteSpace(code_point) ? 1 : 0;
  EXPECT_EQ(count, 25u);
  for (const char32_t not_space : {0x1C, 0x180E, 0x200B, 0xFEFF})
    EXPECT_FALSE(IsWhiteSpace(not_space));
  EXPECT_EQ(LeadingWhiteSpace(" \u3000\tx "), 5u);
  EXPECT_EQ(TrailingWhiteSpace(" x\u2003\n"), 4u);
  EXPECT_EQ(TrailingWhiteSpace(" "), 1u);
}

}  // namespace
}  // namespace statelib
