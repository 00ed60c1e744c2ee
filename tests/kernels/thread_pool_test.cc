// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/thread_pool.h"

#include <gtest/gtest.h>

#include <chrono>

namespace statelib::kernels {
namespace {

TEST(ThreadPool, EveryShareRunsOnceAndIsFinishedWhenRunReturns) {
  ThreadPool pool(3);
  std::vector<int> counts(3);
  for (int round = 1; round <= 2000; ++round) {
    pool.Run(false, [&](size_t share, size_t shares) {
      ASSERT_EQ(shares, 3u);
      ++counts[share];
    });
    ASSERT_EQ(counts, std::vector<int>(3, round));
  }
}

TEST(ThreadPool, WorksAgainAfterItsWorkersFellAsleep) {
  ThreadPool pool(2);
  std::atomic<int> calls{0};
  for (int round = 0; round < 3; ++round) {
    pool.Run(false, [&](size_t, size_t) { ++calls; });
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(calls, 6);
}

TEST(ThreadPool, SmallWorkStaysOnTheCallingThread) {
  ThreadPool pool(2);
  const auto caller = std::this_thread::get_id();
  pool.Run(true, [&](size_t share, size_t shares) {
    EXPECT_EQ(share, 0u);
    EXPECT_EQ(shares, 1u);
    EXPECT_EQ(std::this_thread::get_id(), caller);
  });
}

TEST(PartOf, PartsCoverTheWholeOnceInGrains) {
  for (const size_t count : {0, 1, 15, 16, 17, 100, 768}) {
    for (const size_t shares : {1, 2, 3, 7}) {
      size_t next = 0;
      for (size_t share = 0; share < shares; ++share) {
        const Part part = PartOf(count, 16, share, shares);
        EXPECT_EQ(part.begin, next);
        EXPECT_TRUE(part.end == count || part.end % 16 == 0);
        next = part.end;
      }
      EXPECT_EQ(next, count);
    }
  }
}

}  // namespace
}  // namespace statelib::kernels
