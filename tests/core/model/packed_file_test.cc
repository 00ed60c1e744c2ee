// SPDX-License-Identifier: Apache-2.0
#include "core/model/packed_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "tests/temporary_directory.h"

namespace statelib::model {
namespace {

Bytes SomeBytes(size_t count, int seed) {
  Bytes bytes(count);
  for (size_t i = 0; i < count; ++i)
    bytes[i] = static_cast<std::byte>(static_cast<int>(i) * 7 + seed);
  return bytes;
}

class PackedFileTest : public testing::Test {
 protected:
  PackedFileTest() : path_(folder_.path() / "cache" / "some.weights") {
    PackedFileWriter writer(FileSystem::Real(), path_);
    writer.Append({1, 2, 5}, first_);
    writer.Append({0, 1, 3}, second_);
    writer.Finish(key_);
  }

  Bytes Contents() const { return FileSystem::Real().ReadFile(path_, 1 << 20); }
  void Replace(ByteSpan bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << AsText(bytes);
  }
  bool Opens() const {
    try {
      PackedFile::Open(path_, key_, 2);
      return true;
    } catch (const Error& error) {
      EXPECT_TRUE(error.kind() == ErrorKind::kCorrupt || error.kind() == ErrorKind::kMismatch)
          << error.what();
      return false;
    }
  }

  TemporaryDirectory folder_;
  std::filesystem::path path_;
  Digest key_ = HashOf(AsBytes("key"));
  Bytes first_ = SomeBytes(100, 1), second_ = SomeBytes(12, 2);
};

TEST_F(PackedFileTest, PartsComeBackAsTheyWereFromAlignedPlaces) {
  const PackedFile file = PackedFile::Open(path_, key_, 2);
  EXPECT_EQ(file.part(0).description, (kernels::MatrixDescription{1, 2, 5}));
  EXPECT_EQ(Bytes(file.part(0).bytes.begin(), file.part(0).bytes.end()), first_);
  EXPECT_EQ(file.part(1).description, (kernels::MatrixDescription{0, 1, 3}));
  EXPECT_EQ(Bytes(file.part(1).bytes.begin(), file.part(1).bytes.end()), second_);
  for (const size_t i : {0, 1})
    EXPECT_EQ(reinterpret_cast<uintptr_t>(file.part(i).bytes.data()) % 64, 0u);
}

TEST_F(PackedFileTest, AnotherKeyOrNumberOfPartsIsRefused) {
  EXPECT_THROW(PackedFile::Open(path_, HashOf(AsBytes("other")), 2), Error);
  EXPECT_THROW(PackedFile::Open(path_, key_, 3), Error);
}

TEST_F(PackedFileTest, AFileThatIsCutAnywhereIsRefused) {
  const Bytes whole = Contents();
  for (size_t size = 0; size < whole.size(); ++size) {
    Replace(ByteSpan(whole).first(size));
    EXPECT_FALSE(Opens()) << size;
  }
}

TEST_F(PackedFileTest, ADamagedTableOrTailIsRefused) {
  const Bytes whole = Contents();
  const size_t table_begin = whole.size() - 2 * 40 - 104;
  for (size_t at = table_begin; at < whole.size(); ++at) {
    Bytes damaged = whole;
    damaged[at] ^= std::byte{0x10};
    Replace(damaged);
    EXPECT_FALSE(Opens()) << at;
  }
}

TEST_F(PackedFileTest, AWriterThatIsGivenUpLeavesNothing) {
  const std::filesystem::path other = folder_.path() / "cache" / "other.weights";
  {
    PackedFileWriter writer(FileSystem::Real(), other);
    writer.Append({1, 2, 5}, first_);
  }
  EXPECT_EQ(FileSystem::Real().List(other.parent_path()).size(), 1u);
}

}  // namespace
}  // namespace statelib::model
