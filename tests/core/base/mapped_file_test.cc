// SPDX-License-Identifier: Apache-2.0
#include "core/base/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/base/error.h"
#include "tests/temporary_directory.h"

namespace statelib {
namespace {

ErrorKind KindOfOpening(const std::filesystem::path& path) {
  try {
    MappedFile::Open(path);
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << path << " was opened";
  return ErrorKind::kIo;
}

TEST(MappedFile, ShowsTheBytesAndSurvivesAMove) {
  TemporaryDirectory folder;
  MappedFile first = MappedFile::Open(folder.Write("a", "content"));
  const MappedFile second = std::move(first);
  EXPECT_EQ(AsText(second.bytes()), "content");
}

TEST(MappedFile, AnEmptyFileIsAnEmptySpan) {
  TemporaryDirectory folder;
  EXPECT_TRUE(MappedFile::Open(folder.Write("a", "")).bytes().empty());
}

TEST(MappedFile, FoldersAndPipesAreRefusedWithoutWaiting) {
  TemporaryDirectory folder;
  EXPECT_EQ(KindOfOpening(folder.path()), ErrorKind::kInvalidArgument);
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(KindOfOpening(pipe), ErrorKind::kInvalidArgument);
  EXPECT_EQ(KindOfOpening(folder.path() / "none"), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace statelib
