// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/file_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace statelib::cli {
namespace {

TEST(FileLimits, AreRaisedToWhatTheSystemAllows) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 100;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const size_t raised = RaiseFileLimit();
  rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  EXPECT_GE(raised, before.rlim_max == RLIM_INFINITY ? SIZE_MAX : before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST(FileLimits, FewFilesMeanFewConnections) {
  const ServerLimits limits;
  EXPECT_EQ(FittedTo(limits, FilesNeeded(limits)).connections, limits.connections);
  const ServerLimits fewer = FittedTo(limits, FilesNeeded(limits) - 10);
  EXPECT_EQ(fewer.connections, limits.connections - 10);
  const ServerLimits fewest = FittedTo(limits, 1);
  EXPECT_GT(fewest.connections, 0u);
  EXPECT_LE(fewest.connections_per_address, fewest.connections);
}

}  // namespace
}  // namespace statelib::cli
