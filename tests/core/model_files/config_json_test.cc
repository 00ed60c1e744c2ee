// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/config_json.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/core/model_files/expect_error.h"

namespace statelib::model_files {
namespace {

double NumberIn(std::string_view json) {
  const JsonDocument document = ParseConfig(AsBytes(json), "config.json");
  return ExtendedNumber(document.root()["x"]);
}

TEST(ConfigJson, EverySpellingOfInfinityIsRead) {
  for (const std::string_view json : {R"({"x": Infinity})", R"({"x": "Infinity"})",
                                      R"({"x": "inf"})", R"({"x": {"__float__": "Infinity"}})"}) {
    EXPECT_EQ(NumberIn(json), std::numeric_limits<double>::infinity()) << json;
  }
  EXPECT_EQ(NumberIn(R"({"x":-Infinity})"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(NumberIn(R"({"x": 1e30})"), 1e30);
  EXPECT_EQ(NumberIn(R"({"x": 3})"), 3);
}

TEST(ConfigJson, WordsInsideStringsStay) {
  const JsonDocument document =
      ParseConfig(AsBytes(R"({"a\"Infinity": "NaN \" Infinity", "x": 1})"), "config.json");
  EXPECT_EQ(document.root()["a\"Infinity"].String(), "NaN \" Infinity");
}

TEST(ConfigJson, NotANumberIsRefusedWhereANumberIsNeeded) {
  ExpectError(ErrorKind::kCorrupt, {"config.json: x", "expected a number", "found \"NaN\""},
              [] { NumberIn(R"({"x": NaN})"); });
  ExpectError(ErrorKind::kCorrupt, {"config.json: x"}, [] { NumberIn(R"({"x": [1]})"); });
}

TEST(ConfigJson, InfinityIsNamedWhereAnIntegerIsNeeded) {
  ExpectError(ErrorKind::kCorrupt, {"config.json: x: expected an integer, found \"Infinity\""}, [] {
    ParseConfig(AsBytes(R"({"x": Infinity})"), "config.json").root()["x"].Int(1, 9);
  });
}

TEST(ConfigJson, BrokenTextIsRefusedWithItsName) {
  for (const std::string_view json : {"", "{", "{\"x\": \"", "{\"x\": Infinit}", "Infinity\\"}) {
    ExpectError(ErrorKind::kCorrupt, {"config.json: expected a JSON document"},
                [&] { ParseConfig(AsBytes(json), "config.json"); });
  }
}

}  // namespace
}  // namespace statelib::model_files
