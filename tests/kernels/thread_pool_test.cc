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

TEST(ThreadPool, PiecesCoverTheWholeOnceWhoeverTakesThem) {
  ThreadPool pool(3);
  for (const size_t count : {0, 1, 7, 8, 9, 100, 1000}) {
    std::vector<std::atomic<int>> taken(count);
    pool.RunPieces(false, count, 8, [&](Part part) {
      ASSERT_TRUE(part.begin < part.end && part.end <= count);
      ASSERT_LE(part.end - part.begin, 8u);
      for (size_t i = part.begin; i < part.end; ++i) ++taken[i];
    });
    for (const auto& times : taken) ASSERT_EQ(times, 1);
  }
}

TEST(ThreadPool, AThreadThatIsHeldUpIsHelpedByTheOthers) {
  ThreadPool pool(2);
  // The caller's first piece ends only when all pieces but this one are done.
  std::atomic<int> done{0};
  pool.RunPieces(false, 100, 1, [&](Part part) {
    if (part.begin == 0)
      while (done < 99) std::this_thread::yield();
    ++done;
  });
  EXPECT_EQ(done, 100);
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
