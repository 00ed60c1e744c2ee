// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/safetensors_file.h"

#include <gtest/gtest.h>

#include "core/model_files/safetensors_writer.h"
#include "tests/core/model_files/expect_error.h"
#include "tests/temporary_directory.h"

namespace statelib::model_files {
namespace {

/// A file of this header and so many zero bytes of data.
std::string FileOf(const std::string& header, size_t data_bytes) {
  std::string file(8, '\0');
  StoreLittle(uint64_t{header.size()}, reinterpret_cast<std::byte*>(file.data()));
  return file + header + std::string(data_bytes, '\0');
}

std::vector<TensorRef> Parse(const std::string& file) {
  return ParseSafetensors(AsBytes(file), "m.safetensors");
}

void ExpectRefused(ErrorKind kind, std::initializer_list<std::string> parts,
                   const std::string& file) {
  SCOPED_TRACE(file.substr(std::min<size_t>(file.size(), 8)));
  ExpectError(kind, parts, [&] { Parse(file); });
}

/// A small valid file: a scalar, an empty tensor, a matrix, metadata and padding.
std::string SmallFile() {
  return FileOf(R"({"__metadata__":{"format":"pt"},"m":{"dtype":"F32","shape":[2,3],)"
                R"("data_offsets":[4,28]},"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
                R"("e":{"dtype":"BF16","shape":[5,0],"data_offsets":[4,4]}}   )",
                28);
}

TEST(Safetensors, ReadsScalarsEmptyTensorsAndMatrices) {
  const TensorTable table(Parse(SmallFile()), "m");
  EXPECT_EQ(table.all().size(), 3u);
  EXPECT_EQ(table.Get("m").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(table.Get("m").bytes.size(), 24u);
  EXPECT_TRUE(table.Get("s").shape.empty());
  EXPECT_EQ(table.Get("s").elements(), 1);
  EXPECT_TRUE(table.Get("e").bytes.empty());
}

TEST(Safetensors, AFileWithoutTensorsIsValid) { EXPECT_TRUE(Parse(FileOf("{}", 0)).empty()); }

TEST(Safetensors, CutAtEveryByteIsRefused) {
  const std::string file = SmallFile();
  for (size_t length = 0; length < file.size(); ++length) {
    ExpectError(ErrorKind::kCorrupt, {"m.safetensors"}, [&] { Parse(file.substr(0, length)); });
  }
}

TEST(Safetensors, ByteBehindTheDataIsRefused) {
  ExpectRefused(ErrorKind::kCorrupt, {"expected 28 bytes of data", "found 29"}, SmallFile() + "x");
}

// Every value of every byte of the header: it is refused, or what it says still fits the file.
TEST(Safetensors, EveryChangedHeaderByteIsRefusedOrConsistent) {
  const std::string file = SmallFile();
  size_t refused = 0;
  for (size_t at = 0; at < file.size() - 28; ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = file;
      changed[at] = static_cast<char>(value);
      try {
        for (const TensorRef& tensor : Parse(changed)) {
          ASSERT_EQ(StorageBytes(tensor.type, tensor.shape), tensor.bytes.size());
          if (tensor.bytes.empty()) continue;
          ASSERT_GE(tensor.bytes.data(), AsBytes(changed).data());
          ASSERT_LE(tensor.bytes.data() + tensor.bytes.size(),
                    AsBytes(changed).data() + changed.size());
        }
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 10'000u);
}

TEST(Safetensors, HeaderLengthIsCheckedBeforeUse) {
  std::string file = SmallFile();
  StoreLittle(~uint64_t{0}, reinterpret_cast<std::byte*>(file.data()));
  ExpectRefused(ErrorKind::kCorrupt, {"header length: expected at most", "18446744073709551615"},
                file);
  ExpectRefused(ErrorKind::kCorrupt, {"8-byte header length", "found 3 bytes"}, "abc");
  ExpectRefused(ErrorKind::kCorrupt, {"begins with '{'", "found nothing"}, FileOf("", 0));
  ExpectRefused(ErrorKind::kCorrupt, {"begins with '{'", "found \" \""}, FileOf(" {}", 0));
}

TEST(Safetensors, BrokenJsonIsRefused) {
  ExpectRefused(ErrorKind::kCorrupt, {"m.safetensors: header: expected a JSON document"},
                FileOf(R"({"a":)", 0));
  ExpectRefused(ErrorKind::kCorrupt, {"header: a: expected", "found an integer"},
                FileOf(R"({"a":1})", 0));
  ExpectRefused(ErrorKind::kCorrupt, {"expected an array"},
                FileOf(R"({"a":{"dtype":"U8","shape":{},"data_offsets":"x"}})", 0));
  ExpectRefused(ErrorKind::kCorrupt, {"found no data_offsets"},
                FileOf(R"({"a":{"dtype":"U8","shape":[]}})", 0));
  ExpectRefused(ErrorKind::kCorrupt, {"\"a\" stands there twice"},
                FileOf(R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},)"
                       R"("a":{"dtype":"U8","shape":[],"data_offsets":[1,2]}})",
                       2));
  ExpectRefused(ErrorKind::kCorrupt, {"\"dtype\" stands there twice"},
                FileOf(R"({"a":{"dtype":"U8","dtype":"U8","shape":[],"data_offsets":[0,1]}})", 1));
  ExpectRefused(ErrorKind::kCorrupt, {"expected a string"},
                FileOf(R"({"__metadata__":{"format":1}})", 0));
}

std::string OneTensor(const std::string& dtype, const std::string& shape,
                      const std::string& offsets, size_t data_bytes) {
  return FileOf(fmt::format(R"({{"a":{{"dtype":"{}","shape":{},"data_offsets":{}}}}})", dtype,
                            shape, offsets),
                data_bytes);
}

TEST(Safetensors, WrongTypesShapesAndOffsetsAreRefused) {
  ExpectRefused(ErrorKind::kUnsupported, {"header: a.dtype", "expected one of BOOL", "\"F33\""},
                OneTensor("F33", "[1]", "[0,4]", 4));
  ExpectRefused(ErrorKind::kUnsupported, {"\"Q4_K\""}, OneTensor("Q4_K", "[256]", "[0,144]", 144));
  ExpectRefused(ErrorKind::kCorrupt, {"header: a.shape[0]"}, OneTensor("F32", "[-1]", "[0,4]", 4));
  ExpectRefused(ErrorKind::kCorrupt, {"header: a.shape[0]"}, OneTensor("F32", "[1.5]", "[0,4]", 4));
  ExpectRefused(ErrorKind::kCorrupt, {"fits a file"},
                OneTensor("F32", "[4294967296,4294967296,4294967296]", "[0,4]", 4));
  ExpectRefused(ErrorKind::kCorrupt, {"expected at most 16 axes, found 17"},
                OneTensor("U8", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,1]", 1));
  ExpectRefused(ErrorKind::kCorrupt, {"whole bytes"}, OneTensor("F4", "[3]", "[0,2]", 2));
  ExpectRefused(ErrorKind::kCorrupt, {"expected 8 bytes by dtype and shape, found 4"},
                OneTensor("F32", "[2]", "[0,4]", 4));
  ExpectRefused(ErrorKind::kCorrupt, {"begin <= end", "found [4, 0]"},
                OneTensor("F32", "[1]", "[4,0]", 4));
  ExpectRefused(ErrorKind::kCorrupt, {"expected two offsets"},
                OneTensor("F32", "[1]", "[0,4,8]", 4));
  ExpectRefused(ErrorKind::kCorrupt, {"expected its data to end at byte 4", "found only 2"},
                OneTensor("F32", "[1]", "[0,4]", 2));
  // Beyond 2^53, where a double would round the offset.
  ExpectRefused(ErrorKind::kCorrupt, {"expected the tensor to begin at 0", "9007199254740993"},
                OneTensor("U8", "[1]", "[9007199254740993,9007199254740994]", 1));
}

TEST(Safetensors, HolesAndOverlapsAreRefused) {
  const auto two = [](int begin, int end) {
    return FileOf(fmt::format(R"({{"a":{{"dtype":"U8","shape":[4],"data_offsets":[0,4]}},)"
                              R"("b":{{"dtype":"U8","shape":[4],"data_offsets":[{},{}]}}}})",
                              begin, end),
                  9);
  };
  ExpectRefused(ErrorKind::kCorrupt, {"\"b\"", "expected the tensor to begin at 4", "found 5"},
                two(5, 9));
  ExpectRefused(ErrorKind::kCorrupt, {"\"b\"", "expected the tensor to begin at 4", "found 3"},
                two(3, 7));
  ExpectRefused(ErrorKind::kCorrupt, {"expected 8 bytes of data", "found 9"}, two(4, 8));
}

TEST(Safetensors, ControlCharactersInNamesAreRefused) {
  ExpectRefused(ErrorKind::kCorrupt, {"without control characters", "a\\nb"},
                FileOf(R"({"a\nb":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})", 1));
  ExpectRefused(ErrorKind::kCorrupt, {"expected tensor names"},
                FileOf(R"({"":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})", 1));
}

TEST(Safetensors, AMissingFileIsNotFound) {
  ExpectError(ErrorKind::kNotFound, {"/none.safetensors"},
              [] { OpenSafetensors("/none.safetensors"); });
}

TEST(Safetensors, OpenFileSurvivesAMove) {
  TemporaryDirectory folder;
  TensorFile first = OpenSafetensors(folder.Write("m.safetensors", SmallFile()));
  const TensorFile second = std::move(first);
  EXPECT_EQ(ReadF32(second.tensors().Get("m")), std::vector<float>(6));
}

TEST(Safetensors, GoldenFilesAreRead) {
  const TensorFile golden = OpenSafetensors(std::filesystem::path(STATELIB_SOURCE_DIR) /
                                            "tests/golden/mamba/golden.safetensors");
  EXPECT_EQ(ReadI64(golden.tensors().Get("input_ids")).size(), 75u);
  EXPECT_EQ(golden.tensors().Get("logits").shape[0], 75);
  EXPECT_EQ(ReadF32(golden.tensors().Get("cache.0.conv_states.0")).size(), 96u * 4);
}

}  // namespace
}  // namespace statelib::model_files
