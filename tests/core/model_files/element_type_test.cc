// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/element_type.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace statelib::model_files {
namespace {

using Shape = std::vector<int64_t>;
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

TEST(ElementType, EveryPlainNameIsReadBack) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(ElementType::kU64); ++i) {
    const auto type = static_cast<ElementType>(i);
    EXPECT_EQ(ElementTypeFromName(NameOf(type)), type);
    names.insert(NameOf(type));
  }
  EXPECT_EQ(names.size(), 22u);
}

TEST(ElementType, BlockTypesHaveNoPlainName) {
  EXPECT_FALSE(ElementTypeFromName("Q4_K"));
  EXPECT_FALSE(ElementTypeFromName("f32"));
  EXPECT_FALSE(ElementTypeFromName(""));
}

TEST(ElementType, WeightsAreThreePlainTypesAndTheBlockTypes) {
  EXPECT_EQ(WeightTypeOf(ElementType::kF32), kernels::WeightType::kF32);
  EXPECT_EQ(WeightTypeOf(ElementType::kBF16), kernels::WeightType::kBF16);
  EXPECT_EQ(WeightTypeOf(ElementType::kF16), kernels::WeightType::kF16);
  EXPECT_FALSE(WeightTypeOf(ElementType::kF64));
  EXPECT_EQ(WeightTypeOf(ElementType::kQ8_0), kernels::WeightType::kQ8_0);
  EXPECT_EQ(WeightTypeOf(ElementType::kQ6_K), kernels::WeightType::kQ6_K);
  EXPECT_FALSE(WeightTypeOf(ElementType::kI8));
}

TEST(ElementType, WeightsHaveTheKernelsNamesAndBlocks) {
  for (const ElementTypeInfo& info : ElementTypes()) {
    if (!info.weight) continue;
    const kernels::WeightTypeInfo kernels_info = kernels::InfoOf(*info.weight);
    std::string lower(info.name);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    EXPECT_EQ(lower, kernels_info.name);
    EXPECT_EQ(info.block_elements, kernels_info.block_elements);
    EXPECT_EQ(info.block_bits, 8 * kernels_info.block_bytes);
  }
  EXPECT_EQ(WeightTypeNames(), "F32, BF16, F16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or Q6_K");
}

TEST(ElementType, NoTwoHaveOneSpelling) {
  std::set<std::string_view> torch;
  std::set<uint32_t> numbers, file_types;
  size_t words = 0, ggml = 0, files = 0;
  for (const ElementTypeInfo& info : ElementTypes()) {
    for (const std::string_view name : {info.torch_dtype, info.torch_storage}) {
      if (name.empty()) continue;
      torch.insert(name);
      ++words;
    }
    ggml += info.ggml.has_value();
    files += info.gguf_file.has_value();
    if (info.ggml) numbers.insert(*info.ggml);
    if (info.gguf_file) file_types.insert(*info.gguf_file);
  }
  EXPECT_EQ(torch.size(), words);
  EXPECT_EQ(numbers.size(), ggml);
  EXPECT_EQ(file_types.size(), files);
}

TEST(ElementType, GgmlNumbersAreReadBack) {
  for (const ElementTypeInfo& info : ElementTypes()) {
    if (info.ggml) EXPECT_EQ(NameOf(*ElementTypeFromGgml(*info.ggml)), info.name);
  }
  EXPECT_EQ(ElementTypeFromGgml(14), ElementType::kQ6_K);
  EXPECT_FALSE(ElementTypeFromGgml(10));  // Q2_K
  EXPECT_FALSE(ElementTypeFromGgml(1000));
}

TEST(StorageBytes, MultipliesTheAxes) {
  EXPECT_EQ(StorageBytes(ElementType::kF32, Shape{}), 4u);
  EXPECT_EQ(StorageBytes(ElementType::kBF16, Shape{3, 5}), 30u);
  EXPECT_EQ(StorageBytes(ElementType::kI64, Shape{7, 0, 2}), 0u);
}

TEST(StorageBytes, RefusesWhatDoesNotFit63Bits) {
  EXPECT_FALSE(StorageBytes(ElementType::kU8, Shape{kMax, 2}));
  EXPECT_FALSE(StorageBytes(ElementType::kU8, Shape{kMax}));  // counted in bits
  EXPECT_FALSE(StorageBytes(ElementType::kF32, Shape{int64_t{1} << 32, int64_t{1} << 32}));
  EXPECT_FALSE(StorageBytes(ElementType::kF32, Shape{-1}));
}

TEST(StorageBytes, RefusesPartsOfBytesAndOfBlocks) {
  EXPECT_EQ(StorageBytes(ElementType::kF4, Shape{4}), 2u);
  EXPECT_FALSE(StorageBytes(ElementType::kF4, Shape{3}));
  EXPECT_EQ(StorageBytes(ElementType::kF6E2M3, Shape{4}), 3u);
  EXPECT_EQ(StorageBytes(ElementType::kQ8_0, Shape{3, 64}), 3u * 2 * 34);
  EXPECT_EQ(StorageBytes(ElementType::kQ6_K, Shape{2, 256}), 2u * 210);
  EXPECT_FALSE(StorageBytes(ElementType::kQ8_0, Shape{32, 3}));  // rows are not whole blocks
  EXPECT_FALSE(StorageBytes(ElementType::kQ4_K, Shape{}));
}

}  // namespace
}  // namespace statelib::model_files
