// SPDX-License-Identifier: Apache-2.0
#include "cli/input.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/temporary_directory.h"

namespace statelib::cli {
namespace {

TEST(Input, APipeThatNobodyWritesIntoIsWaitedForUntilTheUserStops) {
  const TemporaryDirectory directory;
  const std::string pipe = (directory.path() / "pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  CancelFlag cancel;
  cancel.Cancel();
  try {
    Input::Open(pipe, cancel);
    FAIL() << "it was opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
}

}  // namespace
}  // namespace statelib::cli
