// SPDX-License-Identifier: Apache-2.0
#include "statestore/documents/formats/text.h"

#include <gtest/gtest.h>
#include <iconv.h>

#include "tests/statestore/expect_error.h"

namespace statelib::documents {
namespace {

using std::string_literals::operator""s;

const std::string kGerman =
    "Die Straße führt über die Brücke zum Café. Öffnungszeiten: täglich außer sonntags, „von acht "
    "bis zwölf“. Preis: 5 €.\n";
const std::string kRussian =
    "Быстрая коричневая лиса перепрыгнула через ленивую собаку и побежала дальше по дороге.\n";
const std::string kJapanese =
    "図書館の予算は千八百円です。担当者は毎週水曜日に会議を開き、議事録を残します。\n"
    "この文章は文字コードの判定のために書かれました。ひらがなとカタカナも入っています。\n";
const std::string kChinese =
    "图书馆的预算是一千八百元。负责人每星期三召开会议，并且保存会议记录。\n"
    "这段文字是为了测试编码识别而写的，里面有许多常用的汉字。\n";

std::string Encoded(const std::string& utf8, const char* encoding) {
  const iconv_t converter = ::iconv_open(encoding, "UTF-8");
  std::string bytes(utf8.size() * 4 + 16, '\0');
  auto* from = const_cast<char*>(utf8.data());
  size_t rest = utf8.size();
  char* to = bytes.data();
  size_t room = bytes.size();
  EXPECT_EQ(::iconv(converter, &from, &rest, &to, &room), 0u) << encoding;
  ::iconv_close(converter);
  bytes.resize(bytes.size() - room);
  return bytes;
}

std::string TextOf(const std::string& bytes) { return Decode(bytes, "", "a.txt").text; }

TEST(TextEncoding, ByteOrderMarksDecideAndAreNoText) {
  for (const std::string& text : {kGerman, kRussian, kJapanese}) {
    EXPECT_EQ(TextOf("\xef\xbb\xbf" + text), text);
    EXPECT_EQ(TextOf("\xff\xfe" + Encoded(text, "UTF-16LE")), text);
    EXPECT_EQ(TextOf("\xfe\xff" + Encoded(text, "UTF-16BE")), text);
    EXPECT_EQ(TextOf("\xff\xfe\0\0"s + Encoded(text, "UTF-32LE")), text);
    EXPECT_EQ(TextOf("\0\0\xfe\xff"s + Encoded(text, "UTF-32BE")), text);
  }
}

TEST(TextEncoding, WideEncodingsWithoutAMarkAreToldApart) {
  for (const std::string& text : {kGerman, kRussian, std::string("short one\n")}) {
    EXPECT_EQ(TextOf(Encoded(text, "UTF-16LE")), text);
    EXPECT_EQ(TextOf(Encoded(text, "UTF-16BE")), text);
    EXPECT_EQ(TextOf(Encoded(text, "UTF-32LE")), text);
    EXPECT_EQ(TextOf(Encoded(text, "UTF-32BE")), text);
  }
}

TEST(TextEncoding, WhatNothingInTheTextSaysIsAGuess) {
  const auto guessed = [](const std::string& bytes, const char* declared = "") {
    return Decode(bytes, declared, "").guessed;
  };
  for (const char* encoding : {"UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE", "KOI8-R"})
    EXPECT_TRUE(guessed(Encoded(kRussian, encoding))) << encoding;
  EXPECT_TRUE(guessed("caf\xe9"));
  EXPECT_FALSE(guessed("\xff\xfe" + Encoded(kRussian, "UTF-16LE")));
  EXPECT_FALSE(guessed(Encoded(kRussian, "KOI8-R"), "KOI8-R"));
  EXPECT_FALSE(guessed(kRussian));
}

TEST(TextEncoding, OlderEncodingsAreToldApartByTheirStatistics) {
  EXPECT_EQ(TextOf(Encoded(kGerman, "WINDOWS-1252")), kGerman);
  EXPECT_EQ(TextOf(Encoded(kRussian, "WINDOWS-1251")), kRussian);
  EXPECT_EQ(TextOf(Encoded(kRussian, "KOI8-R")), kRussian);
  EXPECT_EQ(TextOf(Encoded(kJapanese, "SHIFT_JIS")), kJapanese);
  EXPECT_EQ(TextOf(Encoded(kJapanese, "EUC-JP")), kJapanese);
  EXPECT_EQ(TextOf(Encoded(kChinese, "GB18030")), kChinese);
}

TEST(TextEncoding, Utf8IsTakenAsItIsAndDamageIsReplaced) {
  EXPECT_EQ(TextOf(kJapanese), kJapanese);
  EXPECT_EQ(Decode(kGerman, "SHIFT_JIS", "").text, kGerman) << "being UTF-8 counts for more";
  EXPECT_EQ(TextOf("caf\xc3\xa9 na\xc3\xafve \xff."), "caf\xc3\xa9 na\xc3\xafve \xef\xbf\xbd.");
}

TEST(TextEncoding, CodePointsBeyondUnicodeAreDamage) {
  // iconv passes on U+16FEFF, in four bytes of which none begins a character.
  EXPECT_EQ(TextOf("\xef\xbb\xbf" + kJapanese + "\xf5\xaf\xbb\xbf."),
            kJapanese + "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd.");
}

TEST(TextEncoding, ADeclaredEncodingIsTried) {
  EXPECT_EQ(Decode("\xe1\xe2", "KOI8-R", "").text, "АБ");
  EXPECT_EQ(Decode("caf\xe9", "no-such-encoding", "").text, "café");
}

TEST(TextEncoding, WhatIsNoTextIsRefused) {
  ExpectError(ErrorKind::kUnsupported, "byte 3 is NUL", [&] { TextOf("abc\0def"s); });
  std::string noise;
  for (int i = 0; i < 4000; ++i) noise += static_cast<char>(i * 73 % 255 + 1);
  ExpectError(ErrorKind::kUnsupported, "not text", [&] { TextOf(noise); });
  std::string wide;
  for (int i = 0; i < 4000; ++i) wide += static_cast<char>((i * 7919 >> 3) % 256);
  ExpectError(ErrorKind::kUnsupported, "not text", [&] { TextOf(wide); });
}

TEST(TextEncoding, TextIsLimited) {
  const std::string euros(size_t{24} << 20, '\x80');  // three bytes each in UTF-8
  ExpectError(ErrorKind::kInvalidArgument, "longer than",
              [&] { Decode(euros, "WINDOWS-1252", "a.txt"); });
}

}  // namespace
}  // namespace statelib::documents
