// SPDX-License-Identifier: Apache-2.0
#include "core/base/printable.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/utf8.h"

namespace statelib {
namespace {

TEST(Printable, ControlCharactersBecomeVisible) {
  EXPECT_EQ(Printable("a\x1b[31mb"), "a\\x1b[31mb");
  EXPECT_EQ(Printable(std::string_view("\0\x7f", 2)), "\\x00\\x7f");
  EXPECT_EQ(Printable("\xc2\x9b"), "\\u009b");  // an 8-bit escape sequence
}

TEST(Printable, LineFeedsAndTabsStayWhereLinesDo) {
  EXPECT_EQ(Printable("a\nb\tc\r", LineBreaks::kKeep), "a\nb\tc\\r");
  EXPECT_EQ(Printable("a\nb\tc\r", LineBreaks::kEscape), "a\\nb\\tc\\r");
}

TEST(Printable, WhatReordersOrHidesTextBecomesVisible) {
  EXPECT_EQ(Printable("a\u202eb\u2066"), "a\\u202eb\\u2066");
  EXPECT_EQ(Printable("\u200b\ufeff\u00ad\u2028"), "\\u200b\\ufeff\\u00ad\\u2028");
  EXPECT_EQ(Printable("\U000e0041\U0010ffff\ue000"), "\\ue0041\\u10ffff\\ue000");
}

TEST(Printable, BytesThatAreNotUtf8BecomeVisible) {
  EXPECT_EQ(Printable("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(Printable("\xc0\x80\xed\xa0\x80"), R"(\xc0\x80\xed\xa0\x80)");
  EXPECT_EQ(Printable("half \xe2\x82"), R"(half \xe2\x82)");
}

TEST(Printable, LettersOfAllScriptsStay) {
  const std::string text = "naïve 東京 Ünï 👩‍🚀 \"\\p{L}\"";
  EXPECT_EQ(Printable(text), text);
}

TEST(Printable, WhatIsEscapedStaysAsItIs) {
  const std::string text = Escaped("\"\\\n\u202e\xff");
  EXPECT_EQ(Printable(text), text);
}

TEST(Printable, EveryCharacterIsEscapedOrStays) {
  for (char32_t code_point = 0; code_point < 0x110000; ++code_point) {
    if (code_point >= 0xD800 && code_point < 0xE000) continue;
    std::string text;
    AppendCodePoint(code_point, text);
    const std::string shown = Printable(text);
    ASSERT_TRUE(shown == text || shown.starts_with("\\")) << static_cast<uint32_t>(code_point);
  }
}

TEST(Escaped, QuotesAndBackslashesAreEscapedToo) {
  EXPECT_EQ(Escaped("plain café 😀"), "plain café 😀");
  EXPECT_EQ(Escaped("\"\\\n\x7f"), R"(\x22\x5c\n\x7f)");
}

TEST(Quoted, TextStandsInQuotes) {
  EXPECT_EQ(Quoted("a\"b\\\n\x7f\xff"), R"("a\x22b\x5c\n\x7f\xff")");
  EXPECT_EQ(Quoted(""), "\"\"");
}

TEST(Quoted, LongTextIsCutBetweenCharacters) {
  EXPECT_EQ(Quoted(std::string(100, 'x')), "\"" + std::string(100, 'x') + "\"");
  EXPECT_EQ(Quoted(std::string(101, 'x')), "\"" + std::string(100, 'x') + "…\"");
  EXPECT_EQ(Quoted(std::string(99, 'x') + "é"), "\"" + std::string(99, 'x') + "…\"");
  EXPECT_EQ(Quoted(std::string(101, '\x80')).size(), 100 * 4 + std::string("\"…\"").size());
}

}  // namespace
}  // namespace statelib
