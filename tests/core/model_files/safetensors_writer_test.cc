// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/safetensors_writer.h"

#include <gtest/gtest.h>

#include "core/model_files/safetensors_file.h"
#include "tests/core/model_files/expect_error.h"
#include "tests/temporary_directory.h"

namespace statelib::model_files {
namespace {

Bytes Counting(size_t count) {
  Bytes bytes(count);
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i * 7 + 1);
  return bytes;
}

TEST(SafetensorsWriter, WhatIsWrittenIsReadBack) {
  TemporaryDirectory folder;
  const auto path = folder.path() / "m.safetensors";
  const Bytes bytes = Counting(64);
  const ByteSpan all = bytes;
  const std::vector<TensorToWrite> entries = {
      {"odd", ElementType::kU8, {3}, all.first(3)},
      {"a \"quoted\" ü name", ElementType::kBF16, {2, 2}, all.first(8)},
      {"scalar", ElementType::kF64, {}, all.first(8)},
      {"empty", ElementType::kF32, {0, 4}, {}},
  };
  WriteSafetensors(FileSystem::Real(), path, entries);
  const TensorFile file = OpenSafetensors(path);
  ASSERT_EQ(file.tensors().all().size(), entries.size());
  for (const TensorToWrite& entry : entries) {
    const TensorRef& tensor = file.tensors().Get(entry.name);
    EXPECT_EQ(tensor.type, entry.type);
    EXPECT_EQ(tensor.shape, entry.shape);
    EXPECT_EQ(AsText(tensor.bytes), AsText(entry.bytes));
  }
}

TEST(SafetensorsWriter, EveryTensorBeginsAtAMultipleOfItsElementSize) {
  TemporaryDirectory folder;
  const auto path = folder.path() / "m.safetensors";
  const Bytes bytes = Counting(64);
  const ByteSpan all = bytes;
  const std::vector<TensorToWrite> entries = {{"a", ElementType::kU8, {5}, all.first(5)},
                                              {"b", ElementType::kF16, {3}, all.first(6)},
                                              {"c", ElementType::kF32, {1}, all.first(4)},
                                              {"d", ElementType::kI64, {1}, all.first(8)}};
  WriteSafetensors(FileSystem::Real(), path, entries);
  const MappedFile mapped = MappedFile::Open(path);  // begins at a page
  for (const TensorRef& tensor : ParseSafetensors(mapped.bytes(), "m")) {
    const auto address = reinterpret_cast<uintptr_t>(tensor.bytes.data());
    EXPECT_EQ(address % (InfoOf(tensor.type).block_bits / 8), 0u) << tensor.name;
  }
}

TEST(SafetensorsWriter, TheOrderOfTheEntriesDoesNotMatter) {
  TemporaryDirectory folder;
  const Bytes bytes = Counting(8);
  const TensorToWrite a{"a", ElementType::kF32, {2}, bytes};
  const TensorToWrite b{"b", ElementType::kF32, {1}, ByteSpan(bytes).first(4)};
  FileSystem& files = FileSystem::Real();
  WriteSafetensors(files, folder.path() / "ab", std::vector{a, b});
  WriteSafetensors(files, folder.path() / "ba", std::vector{b, a});
  EXPECT_EQ(files.ReadFile(folder.path() / "ab", 1 << 20),
            files.ReadFile(folder.path() / "ba", 1 << 20));
}

TEST(SafetensorsWriter, RefusesWhatNoReaderWouldTake) {
  TemporaryDirectory folder;
  const Bytes bytes = Counting(8);
  const auto write = [&](std::vector<TensorToWrite> entries) {
    WriteSafetensors(FileSystem::Real(), folder.path() / "m", entries);
  };
  const TensorToWrite good{"a", ElementType::kF32, {2}, bytes};
  ExpectError(ErrorKind::kInvalidArgument, {"each once, found \"a\""}, [&] {
    write({good, good});
  });
  ExpectError(ErrorKind::kInvalidArgument, {"F32 [3] with 8 bytes"}, [&] {
    write({{"a", ElementType::kF32, {3}, bytes}});
  });
  ExpectError(ErrorKind::kInvalidArgument, {"__metadata__"}, [&] {
    write({{"__metadata__", ElementType::kF32, {2}, bytes}});
  });
  ExpectError(ErrorKind::kInvalidArgument, {"UTF-8"}, [&] {
    write({{"\xff", ElementType::kF32, {2}, bytes}});
  });
  ExpectError(ErrorKind::kInvalidArgument, {"a type that safetensors has"}, [&] {
    write({{"a", ElementType::kQ8_0, {0}, {}}});
  });
  EXPECT_TRUE(FileSystem::Real().List(folder.path()).empty());
}

TEST(SafetensorsWriter, AFailureLeavesNoFile) {
  TemporaryDirectory folder;
  const Bytes bytes = Counting(8);
  std::filesystem::create_directories(folder.path() / "target" / "full");
  const std::vector<TensorToWrite> entries = {{"a", ElementType::kF32, {2}, bytes}};
  ExpectError(ErrorKind::kInvalidArgument, {"target", "a folder"},
              [&] { WriteSafetensors(FileSystem::Real(), folder.path() / "target", entries); });
  EXPECT_EQ(FileSystem::Real().List(folder.path()).size(), 1u);
}

}  // namespace
}  // namespace statelib::model_files
