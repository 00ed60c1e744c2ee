// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/gguf_file.h"

#include <gtest/gtest.h>

#include "core/base/digest.h"
#include "tests/core/model_files/expect_error.h"
#include "tests/core/model_files/gguf_builder.h"
#include "tests/temporary_directory.h"

namespace statelib::model_files {
namespace {

void ExpectRefused(ErrorKind kind, std::initializer_list<std::string> parts,
                   const std::string& file) {
  ExpectError(kind, parts, [&] { ParseGguf(AsBytes(file), "m.gguf"); });
}

/// Every kind of value and three tensors, of which the last fills its alignment.
std::string SmallFile() {
  return GgufBuilder()
      .String("general.architecture", "mamba")
      .U32("n", 7)
      .Array("texts", GgufType::kString, 2, GgufBuilder::Text("ab") + GgufBuilder::Text(""))
      .Array("ids", GgufType::kI32, 2, Raw<int32_t>(-1) + Raw<int32_t>(5))
      .Tensor("a", {3, 2}, 0, CountingFloats(6))
      .Tensor("b", {64}, 8, std::string(68, '\1'))
      .Tensor("c", {8}, 0, CountingFloats(8))
      .Build();
}

TEST(Gguf, ReadsTensorsWithTheSlowestAxisFirst) {
  const std::string file = SmallFile();
  const TensorTable table(ParseGguf(AsBytes(file), "m").tensors, "m");
  EXPECT_EQ(table.Get("a").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(ReadF32(table.Get("a")), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(table.Get("b").type, ElementType::kQ8_0);
  EXPECT_EQ(table.Get("b").bytes.size(), 68u);
  EXPECT_EQ(ReadF32(table.Get("c"))[7], 7.0f);
}

TEST(Gguf, ReadsVersionsTwoAndThree) {
  const GgufBuilder builder;
  for (const uint32_t version : {2u, 3u}) {
    const std::string file = builder.Build(version);
    EXPECT_TRUE(ParseGguf(AsBytes(file), "m").tensors.empty());
  }
  ExpectRefused(ErrorKind::kUnsupported, {"expected GGUF version 2 or 3, found 1", "again"},
                builder.Build(1));
  ExpectRefused(ErrorKind::kUnsupported, {"found 4", "newer statelib"}, builder.Build(4));
  ExpectRefused(ErrorKind::kUnsupported, {"big-endian"}, builder.Build(3u << 24));
}

TEST(Gguf, EveryTypeThatStatelibComputesWithIsRead) {
  const std::tuple<uint32_t, ElementType, size_t> types[] = {
      {0, ElementType::kF32, 4 * 256}, {1, ElementType::kF16, 2 * 256},
      {30, ElementType::kBF16, 512},   {2, ElementType::kQ4_0, 8 * 18},
      {3, ElementType::kQ4_1, 8 * 20}, {6, ElementType::kQ5_0, 8 * 22},
      {7, ElementType::kQ5_1, 8 * 24}, {8, ElementType::kQ8_0, 8 * 34},
      {12, ElementType::kQ4_K, 144},   {13, ElementType::kQ5_K, 176},
      {14, ElementType::kQ6_K, 210},   {24, ElementType::kI8, 256},
      {25, ElementType::kI16, 512},    {26, ElementType::kI32, 1024},
      {27, ElementType::kI64, 2048},   {28, ElementType::kF64, 8 * 256}};
  for (const auto& [id, type, bytes] : types) {
    const std::string file = GgufBuilder().Tensor("x", {256}, id, std::string(bytes, '\0')).Build();
    const GgufContents contents = ParseGguf(AsBytes(file), "m");
    EXPECT_EQ(contents.tensors.at(0).type, type);
    EXPECT_EQ(contents.tensors.at(0).bytes.size(), bytes);
  }
}

TEST(Gguf, OtherTypesAreRefusedByName) {
  ExpectRefused(ErrorKind::kUnsupported, {"tensor \"x\"", "expected F32, BF16, F16", "found Q2_K"},
                GgufBuilder().Tensor("x", {256}, 10, std::string(84, '\0')).Build());
  for (const uint32_t removed : {4u, 31u, 36u, 1000u}) {
    ExpectRefused(ErrorKind::kCorrupt, {"expected a tensor type of ggml", fmt::to_string(removed)},
                  GgufBuilder().Tensor("x", {256}, removed, "").Build());
  }
}

TEST(Gguf, AlignmentOfTheFileIsFollowed) {
  GgufBuilder builder;
  builder.alignment = 128;
  const std::string file = builder.U32("general.alignment", 128)
                               .Tensor("a", {1}, 0, CountingFloats(1))
                               .Tensor("b", {3}, 0, CountingFloats(3))
                               .Build();
  const GgufContents contents = ParseGguf(AsBytes(file), "m");
  EXPECT_EQ(contents.tensors[1].bytes.data() - AsBytes(file).data(), 256);
  ExpectRefused(ErrorKind::kCorrupt, {"a power of two, found 48"},
                GgufBuilder().U32("general.alignment", 48).Build());
  ExpectRefused(ErrorKind::kCorrupt, {"a power of two, found 0"},
                GgufBuilder().U32("general.alignment", 0).Build());
}

TEST(Gguf, CutAtEveryByteIsRefused) {
  const std::string file = SmallFile();
  for (size_t length = 0; length < file.size(); ++length) {
    ExpectError(ErrorKind::kCorrupt, {"m.gguf"},
                [&] { ParseGguf(AsBytes(file).first(length), "m.gguf"); });
  }
}

TEST(Gguf, EveryChangedByteIsRefusedOrConsistent) {
  const std::string file = SmallFile();
  size_t refused = 0;
  for (size_t at = 0; at < file.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = file;
      changed[at] = static_cast<char>(value);
      try {
        const GgufContents contents = ParseGguf(AsBytes(changed), "m.gguf");
        for (const TensorRef& tensor : contents.tensors) {
          ASSERT_EQ(StorageBytes(tensor.type, tensor.shape), tensor.bytes.size());
          HashOf(tensor.bytes);  // touches every byte
        }
      } catch (const Error& error) {
        ++refused;
        ASSERT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      }
    }
  }
  EXPECT_GT(refused, 10'000u);
}

TEST(Gguf, CountsAreCheckedBeforeUse) {
  std::string file = GgufBuilder().Build();
  file.replace(8, 8, Raw(~uint64_t{0}));
  ExpectRefused(ErrorKind::kCorrupt, {"expected at most 0 tensors, found 18446744073709551615"},
                file);
  file = GgufBuilder().Build();
  file.replace(16, 8, Raw(uint64_t{1} << 60));
  ExpectRefused(ErrorKind::kCorrupt, {"metadata values, found 1152921504606846976"}, file);
}

TEST(Gguf, WrongShapesAndOffsetsAreRefused) {
  ExpectRefused(ErrorKind::kCorrupt, {"whole blocks of 32"},
                GgufBuilder().Tensor("x", {33}, 8, std::string(68, '\0')).Build());
  ExpectRefused(ErrorKind::kCorrupt, {"axes that fit a file"},
                GgufBuilder().Tensor("x", {~uint64_t{0}}, 0, "").Build());
  ExpectRefused(ErrorKind::kCorrupt, {"axes that fit a file"},
                GgufBuilder().Tensor("x", {1u << 31, 1u << 31, 4}, 0, "").Build());
  ExpectRefused(ErrorKind::kCorrupt, {"expected at most 4 axes, found 5"},
                GgufBuilder().Tensor("x", {1, 1, 1, 1, 1}, 0, CountingFloats(1)).Build());
  ExpectRefused(ErrorKind::kCorrupt, {"expected its data at offset 0", "found 32"},
                GgufBuilder().TensorAt("x", {1}, 0, 32, CountingFloats(20)).Build());
  ExpectRefused(ErrorKind::kCorrupt, {"\"b\"", "expected its data at offset 32", "found 0"},
                GgufBuilder()
                    .Tensor("a", {1}, 0, CountingFloats(1))
                    .TensorAt("b", {1}, 0, 0, CountingFloats(1))
                    .Build());
  ExpectRefused(ErrorKind::kCorrupt, {"expected 400 bytes at offset 0", "found only 32"},
                GgufBuilder().Tensor("x", {100}, 0, CountingFloats(8)).Build());
}

TEST(Gguf, OddNamesAreRefused) {
  ExpectRefused(ErrorKind::kCorrupt, {"tensor names of 1 to 64 bytes"},
                GgufBuilder().Tensor(std::string(65, 'x'), {1}, 0, CountingFloats(1)).Build());
  ExpectRefused(ErrorKind::kCorrupt, {"tensor names"},
                GgufBuilder().Tensor("a\nb", {1}, 0, CountingFloats(1)).Build());
  ExpectRefused(ErrorKind::kCorrupt, {"metadata keys"}, GgufBuilder().U32("", 1).Build());
  ExpectRefused(ErrorKind::kCorrupt, {"every metadata key once, found \"a\" twice"},
                GgufBuilder().U32("a", 1).U32("a", 2).Build());
}

TEST(Gguf, OtherFilesAreRefused) {
  ExpectRefused(ErrorKind::kCorrupt, {"begins with \"GGUF\", found \"GGML\""}, "GGML....");
  ExpectRefused(ErrorKind::kCorrupt, {"begins with \"GGUF\", found \"\""}, "");
}

TEST(Gguf, FileSurvivesAMove) {
  TemporaryDirectory folder;
  GgufFile first = GgufFile::Open(folder.Write("m.gguf", SmallFile()));
  const GgufFile second = std::move(first);
  EXPECT_EQ(ReadF32(second.tensors().Get("c"))[1], 1.0f);
  EXPECT_EQ(second.metadata().Get("general.architecture").String(), "mamba");
}

}  // namespace
}  // namespace statelib::model_files
