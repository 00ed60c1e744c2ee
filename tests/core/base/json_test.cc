// SPDX-License-Identifier: Apache-2.0
#include "core/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace statelib {
namespace {

using testing::HasSubstr;

JsonDocument Parse(std::string_view text) {
  return JsonDocument::Parse(AsBytes(text), "test.json");
}

std::string MessageOf(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

TEST(Json, ErrorsNameThePlaceAndWhatWasFound) {
  const JsonDocument document = Parse(R"({"layers":[{"shape":"big"}]})");
  std::optional<JsonValue> layer;
  document.root()["layers"].ForEach([&](JsonValue value) { layer = value; });
  EXPECT_EQ(MessageOf([&] { (*layer)["shape"].Int(0, 9); }),
            "test.json: layers[0].shape: expected an integer, found a string");
  EXPECT_EQ(MessageOf([&] { (*layer)["size"]; }),
            "test.json: layers[0]: the member \"size\" is missing");
}

TEST(Json, UnsignedIntegersAboveTheExactDoublesStayExact) {
  EXPECT_EQ(Parse("[18446744073709551615]").root().size(), 1u);
  EXPECT_EQ(Parse(R"({"n":9007199254740993})").root()["n"].Uint(UINT64_MAX), 9007199254740993u);
}

TEST(Json, IntegersOutsideTheirRangeAreRefused) {
  const JsonDocument document = Parse(R"({"n":-1,"m":1e3})");
  EXPECT_THAT(MessageOf([&] { document.root()["n"].Int(0, 5); }),
              HasSubstr("from 0 to 5, found -1"));
  EXPECT_THAT(MessageOf([&] { document.root()["n"].Uint(5); }), HasSubstr("unsigned"));
  EXPECT_THAT(MessageOf([&] { document.root()["m"].Int(0, 5); }), HasSubstr("found a fraction"));
}

TEST(Json, OnlyWhatIntCanGiveIsAnInteger) {
  const JsonDocument document = Parse(
      R"([0, -9223372036854775808, 9223372036854775807, 9223372036854775808, 1.0, 1e3, true, "1"])");
  std::vector<bool> integers;
  document.root().ForEach([&](JsonValue value) { integers.push_back(value.IsInteger()); });
  EXPECT_THAT(integers, testing::ElementsAre(true, true, true, false, false, false, false, false));
}

TEST(Json, DuplicateKeysAreRefused) {
  const JsonDocument document = Parse(R"({"a":1,"a":2})");
  EXPECT_THAT(MessageOf([&] { document.root().ForEachMember([](std::string_view, JsonValue) {}); }),
              HasSubstr("\"a\" stands there twice"));
}

TEST(Json, HostileKeysDoNotBreakTheLineOfAMessage) {
  const JsonDocument document = Parse(R"({"a\nb\u001b[2J":"x","c\n":1,"c\n":2})");
  EXPECT_EQ(MessageOf([&] { document.root()["a\nb\x1b[2J"].Int(0, 9); }),
            R"(test.json: "a\nb\x1b[2J": expected an integer, found a string)");
  EXPECT_EQ(MessageOf([&] { document.root().ForEachMember([](std::string_view, JsonValue) {}); }),
            R"(test.json: the key "c\n" stands there twice)");
}

TEST(Json, BrokenAndTooDeepTextIsRefused) {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("{\"a\":NaN}"), std::string("[1] x"),
        std::string("\xff\xfe"), std::string(100000, '[')}) {
    EXPECT_THAT(MessageOf([&] { Parse(text); }), HasSubstr("expected a JSON document"));
  }
}

TEST(Json, NullCountsAsMissing) { EXPECT_FALSE(Parse(R"({"a":null})").root().Find("a")); }

}  // namespace
}  // namespace statelib
