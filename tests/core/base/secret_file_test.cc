// SPDX-License-Identifier: Apache-2.0
#include "core/base/secret_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/base/error.h"
#include "tests/temporary_directory.h"

namespace statelib {
namespace {

bool IsRefused(const std::filesystem::path& path) {
  try {
    RequireSecret(path, "a token");
    return false;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
    return true;
  }
}

TEST(SecretFiles, AreTheirOwnersAlone) {
  const TemporaryDirectory folder;
  const std::filesystem::path file = folder.Write("token", "x");
  const std::filesystem::path link = folder.path() / "link";
  std::filesystem::create_symlink(file, link);
  for (mode_t mode = 0; mode < 01000; mode += 1) {
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
    EXPECT_EQ(IsRefused(file), (mode & 077) != 0) << mode;
    EXPECT_EQ(IsRefused(link), (mode & 077) != 0) << mode;
  }
}

TEST(SecretFiles, WhatIsNoFileIsNotJudged) {
  const TemporaryDirectory folder;
  const std::string pipe = (folder.path() / "pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0666), 0);
  EXPECT_FALSE(IsRefused(pipe));
  EXPECT_FALSE(IsRefused(folder.path() / "none"));
}

}  // namespace
}  // namespace statelib
