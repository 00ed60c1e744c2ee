// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/reference.h"

#include <gtest/gtest.h>

#include "tests/statestore/expect_error.h"

namespace statelib::storage {
namespace {

TEST(Reference, NameTagAndVersionAreTakenApartAndPutTogether) {
  EXPECT_EQ(Reference::Parse("handbook"), (Reference{"handbook", "latest", {}}));
  EXPECT_EQ(Reference::Parse("team/Hand_book-2.1:v1.0@12"),
            (Reference{"team/Hand_book-2.1", "v1.0", 12}));
  for (const char* text : {"a", "a:b", "a@3", "a/b:c@4"})
    EXPECT_EQ(Reference::Parse(text).Text(), text);
  EXPECT_EQ(Reference::Parse("a:latest").Text(), "a");
}

TEST(Reference, OddCharactersAreRefusedAndShownEscaped) {
  const auto refuse = [](const std::string& text, const std::string& part) {
    ExpectError(ErrorKind::kInvalidArgument, part, [&] { Reference::Parse(text); });
  };
  refuse("hand book", "\"hand book\": the character ' ' at place 5");
  refuse("a\nb", R"("a\nb": the character '\n' at place 2)");
  refuse("a\x1b[31m", R"(the character '\x1b')");
  refuse("\u20ac5", "the character '\u20ac' at place 1");
  refuse("a\U0001F600", "the character '\U0001F600' at place 2");
  refuse("a\u200bb", "the character '\\u200b' at place 2");
  refuse("\u0301a", "the character '\u0301' at place 1");
  refuse("a/\u00b7", "the character '\u00b7' at place 3");
  refuse("bad\xff", R"(the character '\xff' at place 4)");
  refuse("../etc", "the character '.' at place 1");
  refuse("/etc", "the character '/' at place 1");
  refuse("a//b", "the character '/' at place 3");
  refuse("a/", "the character '/' at place 2");
  refuse("-rf", "the character '-' at place 1");
  refuse("a:b/c", "the character '/' at place 2");
  refuse("", "has 1 to 128 bytes, this one has 0");
  refuse("a:", "a tag has 1 to 128");
  refuse(std::string(129, 'a'), "this one has 129");
  EXPECT_NO_THROW(Reference::Parse(std::string(128, 'a')));
}

TEST(Reference, LettersAndDigitsOfEveryScriptAreNamesAndAreComposed) {
  for (const char* text :
       {"caf\u00e9",
        "\u043e\u0442\u0447\u0451\u0442:\u0447\u0435\u0440\u043d\u043e\u0432\u0438\u043a@2",
        "\u5831\u544a/\u7b2c1\u7ae0", "\u0939\u093f\u0928\u094d\u0926\u0940", "\u0663\u0664"})
    EXPECT_EQ(Reference::Parse(text).Text(), text);
  EXPECT_EQ(Reference::Parse("cafe\u0301").name, "caf\u00e9");
  ExpectError(ErrorKind::kInvalidArgument, "composed (normal form C)",
              [] { CheckName("cafe\u0301"); });
}

TEST(Reference, AVersionIsANumberFromOne) {
  for (const char* text : {"a@", "a@0", "a@x", "a@1x", "a@-1", "a@99999999999999999999"}) {
    ExpectError(ErrorKind::kInvalidArgument, "expected a version number from 1",
                [&] { Reference::Parse(text); });
  }
}

}  // namespace
}  // namespace statelib::storage
