// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/gguf_metadata.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/model_files/gguf_file.h"
#include "tests/core/model_files/expect_error.h"
#include "tests/core/model_files/gguf_builder.h"

namespace statelib::model_files {
namespace {

/// The metadata of a file, which it keeps.
class Parsed {
 public:
  explicit Parsed(const GgufBuilder& builder)
      : file_(builder.Build()), metadata_(ParseGguf(AsBytes(file_), "m.gguf").metadata) {}
  const GgufValue& operator[](std::string_view key) const { return metadata_.Get(key); }
  const GgufMetadata& metadata() const { return metadata_; }

 private:
  std::string file_;
  GgufMetadata metadata_;
};

TEST(GgufMetadata, IntegersOfEveryWidthAreRead) {
  const Parsed parsed(GgufBuilder()
                          .Value("u8", GgufType::kU8, Raw<uint8_t>(200))
                          .Value("i8", GgufType::kI8, Raw<int8_t>(-3))
                          .Value("u16", GgufType::kU16, Raw<uint16_t>(60000))
                          .Value("i16", GgufType::kI16, Raw<int16_t>(300))
                          .Value("u32", GgufType::kU32, Raw<uint32_t>(4'000'000'000))
                          .Value("i32", GgufType::kI32, Raw<int32_t>(7))
                          .Value("u64", GgufType::kU64, Raw(~uint64_t{0}))
                          .Value("i64", GgufType::kI64, Raw<int64_t>(8)));
  constexpr uint64_t kAny = ~uint64_t{0};
  EXPECT_EQ(parsed["u8"].Uint(kAny), 200u);
  EXPECT_EQ(parsed["u16"].Uint(kAny), 60000u);
  EXPECT_EQ(parsed["i16"].Uint(kAny), 300u);
  EXPECT_EQ(parsed["u32"].Uint(kAny), 4'000'000'000u);
  EXPECT_EQ(parsed["i32"].Uint(kAny), 7u);
  EXPECT_EQ(parsed["u64"].Uint(kAny), kAny);
  EXPECT_EQ(parsed["i64"].Uint(kAny), 8u);
  EXPECT_EQ(parsed["i8"].Number(), -3.0);
  ExpectError(ErrorKind::kCorrupt, {"m.gguf: metadata \"i8\"", "from 0 to 255, found -3"},
              [&] { parsed["i8"].Uint(255); });
  ExpectError(ErrorKind::kCorrupt, {"from 0 to 10, found 200"}, [&] { parsed["u8"].Uint(10); });
}

TEST(GgufMetadata, NumbersMustBeFinite) {
  const Parsed parsed(GgufBuilder()
                          .F32("f32", 1.5f)
                          .Value("f64", GgufType::kF64, Raw(2.5))
                          .F32("nan", std::nanf(""))
                          .F32("inf", std::numeric_limits<float>::infinity()));
  EXPECT_EQ(parsed["f32"].Number(), 1.5);
  EXPECT_EQ(parsed["f64"].Number(), 2.5);
  for (const char* key : {"nan", "inf"}) {
    ExpectError(ErrorKind::kCorrupt, {"a finite number"}, [&] { parsed[key].Number(); });
  }
  ExpectError(ErrorKind::kCorrupt, {"expected an integer, found f32"},
              [&] { parsed["f32"].Uint(10); });
}

TEST(GgufMetadata, TextsBoolsAndArraysAreRead) {
  const Parsed parsed(
      GgufBuilder()
          .String("text", "some text")
          .Value("yes", GgufType::kBool, "\x01")
          .Value("no", GgufType::kBool, std::string(1, '\0'))
          .Array("texts", GgufType::kString, 3,
                 GgufBuilder::Text("a") + GgufBuilder::Text("") + GgufBuilder::Text("bc"))
          .Array("integers", GgufType::kI16, 2, Raw<int16_t>(-5) + Raw<int16_t>(6))
          .Array("numbers", GgufType::kF32, 2, Raw(0.5f) + Raw(-1.0f))
          .Array("empty", GgufType::kString, 0, ""));
  EXPECT_EQ(parsed["text"].String(), "some text");
  EXPECT_TRUE(parsed["yes"].Bool());
  EXPECT_FALSE(parsed["no"].Bool());
  EXPECT_EQ(parsed["texts"].Strings(), (std::vector<std::string_view>{"a", "", "bc"}));
  EXPECT_EQ(parsed["texts"].size(), 3u);
  EXPECT_EQ(parsed["integers"].Integers(), (std::vector<int64_t>{-5, 6}));
  EXPECT_EQ(parsed["numbers"].Numbers(), (std::vector<double>{0.5, -1.0}));
  EXPECT_TRUE(parsed["empty"].Strings().empty());
}

TEST(GgufMetadata, WrongTypesAreNamed) {
  const Parsed parsed(GgufBuilder()
                          .String("text", "x")
                          .Array("texts", GgufType::kString, 1, GgufBuilder::Text("a"))
                          .Array("big", GgufType::kU64, 1, Raw(~uint64_t{0}))
                          .U32("n", 1));
  ExpectError(ErrorKind::kCorrupt, {"metadata \"n\": expected a string, found u32"},
              [&] { parsed["n"].String(); });
  ExpectError(ErrorKind::kCorrupt, {"expected an array, found u32"}, [&] { parsed["n"].size(); });
  ExpectError(ErrorKind::kCorrupt, {"expected a bool"}, [&] { parsed["n"].Bool(); });
  ExpectError(ErrorKind::kCorrupt, {"expected a number, found string"},
              [&] { parsed["text"].Number(); });
  ExpectError(ErrorKind::kCorrupt, {"integers", "found an array of 1 string"},
              [&] { parsed["texts"].Integers(); });
  ExpectError(ErrorKind::kCorrupt, {"at most 63 bits"}, [&] { parsed["big"].Integers(); });
  ExpectError(ErrorKind::kCorrupt, {"array of strings"}, [&] { parsed["text"].Strings(); });
  ExpectError(ErrorKind::kCorrupt, {"m.gguf: expected the metadata \"none\", found 4 others"},
              [&] { parsed["none"]; });
  EXPECT_EQ(parsed.metadata().Find("none"), nullptr);
}

TEST(GgufMetadata, LengthsAndTypesAreCheckedBeforeUse) {
  const auto refused = [](ErrorKind kind, const char* part, const GgufBuilder& builder) {
    ExpectError(kind, {"m.gguf", part}, [&] { Parsed{builder}; });
  };
  refused(ErrorKind::kCorrupt, "string at byte",
          GgufBuilder().Value("a", GgufType::kString, Raw(uint64_t{1} << 62)));
  refused(ErrorKind::kCorrupt, "array at byte",
          GgufBuilder().Array("a", GgufType::kU64, uint64_t{1} << 62, ""));
  refused(ErrorKind::kCorrupt, "string",
          GgufBuilder().Array("a", GgufType::kString, uint64_t{1} << 62, ""));
  refused(ErrorKind::kUnsupported, "an array of arrays",
          GgufBuilder().Array("a", GgufType::kArray, 1, ""));
  refused(ErrorKind::kCorrupt, "expected a type from 0 to 12, found 13",
          GgufBuilder().Value("a", static_cast<GgufType>(13), ""));
}

}  // namespace
}  // namespace statelib::model_files
