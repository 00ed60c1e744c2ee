// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/tensor_ref.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "core/model_files/tensor_text.h"
#include "kernels/weights.h"
#include "tests/core/model_files/expect_error.h"
#include "tests/core/model_files/raw_bytes.h"

namespace statelib::model_files {
namespace {

template <typename T>
TensorRef Over(const std::vector<T>& values, ElementType type, std::string name = "x") {
  return {std::move(name),
          type,
          {static_cast<int64_t>(values.size())},
          std::as_bytes(std::span(values)),
          std::make_shared<const std::string>("file")};
}

TEST(HalfFloat, KnownValuesAreExact) {
  EXPECT_EQ(kernels::FloatFromF16(0x3c00), 1.0f);
  EXPECT_EQ(kernels::FloatFromF16(0xc000), -2.0f);
  EXPECT_EQ(kernels::FloatFromF16(0x7bff), 65504.0f);
  EXPECT_EQ(kernels::FloatFromF16(0x0001), std::ldexp(1.0f, -24));
  EXPECT_EQ(kernels::FloatFromF16(0x83ff), -1023 * std::ldexp(1.0f, -24));
  EXPECT_EQ(kernels::FloatFromF16(0x7c00), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(kernels::FloatFromF16(0x7e00)));
  EXPECT_TRUE(std::signbit(kernels::FloatFromF16(0x8000)));
  EXPECT_EQ(kernels::FloatFromBF16(0x3f80), 1.0f);
  EXPECT_EQ(kernels::FloatFromBF16(0xc2f7), -123.5f);
}

TEST(HalfFloat, EveryFiniteHalfFollowsItsDefinition) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const int exponent = static_cast<int>((bits >> 10) & 31);
    if (exponent == 31) continue;
    const auto fraction = static_cast<float>(bits & 0x3ff);
    const float magnitude =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    const float expected = (bits & 0x8000) != 0 ? -magnitude : magnitude;
    ASSERT_EQ(kernels::FloatFromF16(static_cast<uint16_t>(bits)), expected) << bits;
  }
}

TEST(ReadF32, DecodesBlocks) {
  const std::string block = Raw<uint16_t>(0x3800) + std::string(32, '\x02');
  const TensorRef tensor{"x", ElementType::kQ8_0, {1, 32}, AsBytes(block), nullptr};
  EXPECT_EQ(ReadF32(tensor), std::vector<float>(32, 1.0f));
}

TEST(ReadF32, ConvertsEveryWeightTypeExactly) {
  const std::vector<float> wide = {1.5f, -0.0f, 1e-40f};
  EXPECT_EQ(ReadF32(Over(wide, ElementType::kF32)), wide);
  EXPECT_EQ(ReadF32(Over(std::vector<uint16_t>{0x3fc0, 0x4049}, ElementType::kBF16)),
            (std::vector<float>{1.5f, 3.140625f}));
  EXPECT_EQ(ReadF32(Over(std::vector<uint16_t>{0x3e00}, ElementType::kF16)),
            (std::vector<float>{1.5f}));
}

TEST(ReadF32, ReadsUnalignedBytes) {
  std::array<std::byte, 9> raw{};
  StoreLittle(2.5f, raw.data() + 1);
  StoreLittle(-7.0f, raw.data() + 5);
  const TensorRef tensor{"x", ElementType::kF32, {2}, std::span(raw).subspan(1), nullptr};
  EXPECT_EQ(ReadF32(tensor), (std::vector<float>{2.5f, -7.0f}));
}

TEST(ReadF32, AnotherTypeIsRefusedByName) {
  const TensorRef tensor = Over(std::vector<double>{1.0}, ElementType::kF64, "backbone.x");
  ExpectError(ErrorKind::kUnsupported,
              {"file: tensor \"backbone.x\" (F64 [1])",
               "expected weights of type F32, BF16, F16, Q8_0", "found F64"},
              [&] { ReadF32(tensor); });
}

TEST(ReadI64, ReadsOnlyIntegers) {
  EXPECT_EQ(ReadI64(Over(std::vector<int64_t>{-1, int64_t{1} << 60}, ElementType::kI64)),
            (std::vector<int64_t>{-1, int64_t{1} << 60}));
  ExpectError(ErrorKind::kUnsupported, {"expected elements of type I64, found F32"},
              [] { ReadI64(Over(std::vector<float>{1}, ElementType::kF32)); });
}

TEST(RequireShape, AnotherShapeNamesBoth) {
  const TensorRef tensor = Over(std::vector<float>(6), ElementType::kF32);
  RequireShape(tensor, std::vector<int64_t>{6});
  ExpectError(ErrorKind::kCorrupt, {"expected the shape [2, 3], found [6]"}, [&] {
    RequireShape(tensor, std::vector<int64_t>{2, 3});
  });
}

TEST(TensorTable, FindsByNameAndSorts) {
  const std::vector<float> one = {1};
  const TensorTable table({Over(one, ElementType::kF32, "b"), Over(one, ElementType::kF32, "a")},
                          "folder");
  EXPECT_EQ(table.Get("a").name, "a");
  EXPECT_EQ(table.Find("c"), nullptr);
  EXPECT_EQ(table.all()[0].name, "a");
  EXPECT_EQ(table.total_bytes(), 8u);
  ExpectError(ErrorKind::kCorrupt, {"folder: expected the tensor \"c\", found 2 tensors"},
              [&] { table.Get("c"); });
}

TEST(TensorTable, ANameTwiceIsRefused) {
  const std::vector<float> one = {1};
  ExpectError(ErrorKind::kCorrupt, {"expected every tensor once, found \"a\" twice"}, [&] {
    TensorTable({Over(one, ElementType::kF32, "a"), Over(one, ElementType::kF32, "a")}, "folder");
  });
}

TEST(ShapeText, IsShort) {
  EXPECT_EQ(ShapeText(std::vector<int64_t>{1, 2}), "[1, 2]");
  EXPECT_LT(ShapeText(std::vector<int64_t>(1000, 1)).size(), 70u);
}

}  // namespace
}  // namespace statelib::model_files
