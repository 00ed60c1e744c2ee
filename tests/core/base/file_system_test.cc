// SPDX-License-Identifier: Apache-2.0
#include "core/base/atomic_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/random_name.h"
#include "tests/temporary_directory.h"

namespace statelib {
namespace {

using testing::ElementsAre;

TEST(FileSystem, AnAtomicWriteReplacesTheFileAndLeavesNothingElse) {
  TemporaryDirectory folder;
  FileSystem& files = FileSystem::Real();
  const auto path = folder.Write("a", "old");
  WriteFileAtomically(files, path, AsBytes("new"));
  EXPECT_EQ(AsText(files.ReadFile(path, 100)), "new");
  EXPECT_THAT(files.List(folder.path()), ElementsAre("a"));
}

TEST(FileSystem, AFailedAtomicWriteKeepsTheOldFileAndLeavesNothingElse) {
  TemporaryDirectory folder;
  FileSystem& files = FileSystem::Real();
  const auto path = folder.Write("directory/inner", "x").parent_path();
  EXPECT_THROW(WriteFileAtomically(files, path, AsBytes("new")), Error);  // a folder is in the way
  EXPECT_THAT(files.List(folder.path()), ElementsAre("directory"));
}

TEST(FileSystem, WhatAKilledProcessLeftIsInTheWayOfNoAtomicWrite) {
  TemporaryDirectory folder;
  const auto path = folder.path() / "file";
  // The numbers of processes come back: no name is made of one alone.
  const auto left = fmt::format("{}.{}.part", path.string(), ::getpid());
  FileSystem::Real().Create(left)->Close();
  WriteFileAtomically(FileSystem::Real(), path, AsBytes("new"));
  EXPECT_EQ(AsText(FileSystem::Real().ReadFile(path, 100)), "new");
  EXPECT_TRUE(FileSystem::Real().Exists(left));
}

TEST(FileSystem, NoTwoTemporaryNamesAreTheSame) {
  EXPECT_NE(TemporaryBeside("a"), TemporaryBeside("a"));
  EXPECT_EQ(TemporaryBeside("folder/a").parent_path(), "folder");
  EXPECT_EQ(RandomName().size(), 16u);
}

TEST(FileSystem, AFileLongerThanTheCallerAllowsIsRefused) {
  TemporaryDirectory folder;
  const auto path = folder.Write("a", "12345");
  EXPECT_THROW(FileSystem::Real().ReadFile(path, 4), Error);
  EXPECT_EQ(FileSystem::Real().ReadFile(path, 5).size(), 5u);
}

TEST(FileSystem, CreateRefusesAFileThatExists) {
  TemporaryDirectory folder;
  EXPECT_THROW(FileSystem::Real().Create(folder.Write("a", "")), Error);
}

TEST(FileSystem, ALinkIsASecondNameAndReplacesNothing) {
  TemporaryDirectory folder;
  FileSystem& files = FileSystem::Real();
  const auto file = folder.Write("a", "of a"), taken = folder.Write("b", "of b");
  EXPECT_TRUE(files.Link(file, folder.path() / "second"));
  EXPECT_FALSE(files.Link(file, taken));
  EXPECT_EQ(AsText(files.ReadFile(taken, 100)), "of b");
  files.Remove(file);
  EXPECT_EQ(AsText(files.ReadFile(folder.path() / "second", 100)), "of a");
  try {
    files.Link(file, folder.path() / "third");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  }
}

TEST(FileSystem, ALinkThatTheFileSystemDoesNotKnowIsSaidSo) {
  TemporaryDirectory folder;
  std::filesystem::create_directory(folder.path() / "folder");  // which have one name everywhere
  try {
    FileSystem::Real().Link(folder.path() / "folder", folder.path() / "second");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
  }
}

TEST(FileSystem, AMissingFileIsNotFoundAndNamed) {
  try {
    FileSystem::Real().ReadFile("/nonexistent/file", 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    EXPECT_THAT(error.what(), testing::HasSubstr("/nonexistent/file"));
  }
}

}  // namespace
}  // namespace statelib
