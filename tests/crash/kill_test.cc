// SPDX-License-Identifier: Apache-2.0
// A process that is killed before any of its changes to the disk leaves a library that verifies and
// from which every state that was committed can be read.
#include <gtest/gtest.h>

#include <filesystem>

#include "statestore/storage/state_object.h"
#include "tests/crash/traced_process.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

namespace fs = std::filesystem;
using Access = Repository::Access;

constexpr int64_t kYearsLater = int64_t{1} << 42;

/// SampleState(token_count, seed) as a checkpoint.
StateRow LeaveSample(Repository& repository, uint64_t token_count, unsigned seed) {
  return PublishCheckpoint(repository, SampleNewState(token_count, seed).state, 1000);
}

/// Expects a sound library in which the state of a name can be read whole.
void ExpectReadable(const Repository& repository, const std::string& name, int n) {
  const StateRow row = repository.Resolve(name).state;
  const std::string location = repository.objects().PathOf(row.id).string();
  EXPECT_EQ(VerifyState(repository.objects().Get(row.id), location, repository.objects().Getter())
                .content,
            row.content)
      << n;
}

/// Runs `body` on a copy of a library, killed at its n-th change for n = 1, 2, …, and `check` after
/// each, with whether the body ended.
void KillAtEveryChange(const std::function<void(Repository&)>& prepare,
                       const std::function<void(Repository&)>& body,
                       const std::function<void(Repository&, int n, bool finished)>& check) {
  TemporaryDirectory folder;
  const fs::path original = folder.path() / "original";
  {
    Repository repository = Repository::Open(original, Access::kCreate);
    PublishSample(repository, "kept", 5, 77);
    prepare(repository);
  }
  int n = 1;
  for (bool finished = false; !finished; ++n) {
    const fs::path path = folder.path() / ("copy" + std::to_string(n));
    fs::copy(original, path, fs::copy_options::recursive);
    const TracedEnd end = RunAndKillAtChange(n, [&] {
      Repository repository = Repository::Open(path, Access::kWrite);
      body(repository);
    });
    if (end == TracedEnd::kNotPossible) GTEST_SKIP() << "this machine does not allow ptrace";
    ASSERT_NE(end, TracedEnd::kFailed) << n;
    finished = end == TracedEnd::kFinished;
    Repository repository = Repository::Open(path, Access::kWrite);
    ExpectClean(repository);
    ExpectReadable(repository, "kept", n);
    check(repository, n, finished);
    CollectGarbage(repository, {.now_ms = kYearsLater});
    ExpectClean(repository);
    ExpectReadable(repository, "kept", n);
    EXPECT_TRUE(repository.objects().Temporaries().empty()) << n;
    fs::remove_all(path);
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(n, 15);
}

TEST(KilledAtEveryChange, PublishingIsAllOrNothing) {
  KillAtEveryChange(
      [](Repository&) {}, [](Repository& repository) { PublishSample(repository, "a", 5000, 2); },
      [](Repository& repository, int n, bool finished) {
        const bool there = repository.index().references().Find("a", "latest").has_value();
        // Killed between the commit and the end, it may be there already.
        if (finished) {
          EXPECT_TRUE(there);
        }
        if (there) ExpectReadable(repository, "a", n);
      });
}

TEST(KilledAtEveryChange, CheckpointsAndTheirThinningLeaveASoundLibrary) {
  KillAtEveryChange([](Repository& repository) { repository.index().checkpoints().SetBudget(1); },
                    [](Repository& repository) {
                      LeaveSample(repository, 5, 2);
                      ThinCheckpoints(repository);
                      LeaveSample(repository, 6, 2);
                      PublishSample(repository, "a", 7, 2);
                    },
                    [](Repository& repository, int n, bool) {
                      for (const CheckpointRow& row : repository.index().checkpoints().List({}))
                        ExpectReadable(repository, row.state.id.Hex(), n);
                    });
}

TEST(KilledAtEveryChange, ADeltaIsAllOrNothingAndNeverWithoutItsBase) {
  KillAtEveryChange(
      [](Repository& repository) {
        SampleNewState base(SampleStateNear(5), 1);
        PublishCheckpoint(repository, base.state, 1000);
        SampleNewState other(SampleStateNear(4, 2), 2);
        const StateId id = PublishCheckpoint(repository, other.state, 1000).id;
        PublishNear(repository, "gone", 5, Codec::kDelta, id, 2);
        repository.index().references().Remove("gone", "latest", 1000);
      },
      [](Repository& repository) {
        const StateId base = repository.index().checkpoints().List({})[0].state.id;
        PublishNear(repository, "a", 6, Codec::kDelta, base);
        CollectGarbage(repository, {.now_ms = kYearsLater});
      },
      [](Repository& repository, int n, bool finished) {
        const bool there = repository.index().references().Find("a", "latest").has_value();
        if (finished) {
          EXPECT_TRUE(there);
        }
        if (!there) return;
        EXPECT_TRUE(repository.Resolve("a").state.base);
        ExpectReadable(repository, "a", n);
      });
}

TEST(KilledAtEveryChange, GcRemovesOnlyWhatIsNotNeeded) {
  KillAtEveryChange(
      [](Repository& repository) {
        LeaveSample(repository, 5, 2);
        PublishSample(repository, "gone", 6, 3);
        repository.index().references().Remove("gone", "latest", 1000);
      },
      [](Repository& repository) { CollectGarbage(repository, {.now_ms = kYearsLater}); },
      [](Repository&, int, bool) {});
}

}  // namespace
}  // namespace statelib::storage
