// SPDX-License-Identifier: Apache-2.0
// What is waited for while another process holds a lock or writes the index.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/statestore/expect_error.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

using Access = Repository::Access;
using std::chrono::milliseconds;

class Waiting : public testing::Test {
 protected:
  static Waits NoLongerThan(milliseconds time) {
    Waits waits;
    waits.timeout = time;
    return waits;
  }
  Repository Open(const Waits& waits) {
    return Repository::Open(path_, Access::kWrite, FileSystem::Real(), waits);
  }
  /// Runs `wait`, which waits for what `held` holds, until it says so; then `held` lets go.
  template <typename Hold>
  void ExpectToldThenDone(const Hold& hold, const std::string& for_what,
                          const std::function<void(Repository&)>& wait) {
    std::atomic<bool> told = false, holds = false;
    std::thread holder([&] {
      hold([&] {
        holds = true;
        while (!told) std::this_thread::sleep_for(milliseconds(5));
      });
    });
    while (!holds) std::this_thread::sleep_for(milliseconds(5));
    std::vector<std::string> notices;
    Waits waits;
    waits.on_wait = [&](const std::string& what) {
      notices.push_back(what);
      told = true;
    };
    Repository repository = Open(waits);
    wait(repository);
    holder.join();
    EXPECT_THAT(notices, testing::ElementsAre(testing::HasSubstr(for_what)));
  }

  TemporaryDirectory folder_;
  const std::filesystem::path path_ = folder_.path() / "library";
  Repository first_ = Repository::Open(path_, Access::kCreate);
};

TEST_F(Waiting, ForALeaseEndsWithItsTimeAndNamesTheLock) {
  const Lease gc = first_.GcLease();
  const Repository second = Open(NoLongerThan(milliseconds(20)));
  ExpectError(ErrorKind::kBusy, "objects.lock; run the command again later",
              [&] { second.WriteLease(); });
  ExpectError(ErrorKind::kBusy, "--timeout", [&] { second.ReadLease(); });
}

TEST_F(Waiting, ForTheIndexEndsWithItsTimeAndNamesTheFile) {
  Repository second = Open(NoLongerThan(milliseconds(20)));
  first_.index().Write([&] {
    ExpectError(ErrorKind::kBusy, "index.db; run the command again later",
                [&] { second.index().Write([] {}); });
  });
  second.index().Write([] {});  // and the next one is not hindered by the last
}

TEST_F(Waiting, ForTheIndexEndsWhenItIsCancelled) {
  CancelFlag cancel;
  Repository second = Open(&cancel);
  cancel.Cancel();
  first_.index().Write(
      [&] { ExpectError(ErrorKind::kCancelled, "", [&] { second.index().Write([] {}); }); });
}

TEST_F(Waiting, ForALockIsToldAndGoesOnWhenItIsFree) {
  ExpectToldThenDone(
      [&](const std::function<void()>& until) {
        const Lease gc = first_.GcLease();
        until();
      },
      "another process that holds " + (path_ / "locks" / "objects.lock").string(),
      [](Repository& repository) { repository.WriteLease(); });
}

TEST_F(Waiting, ForTheIndexIsToldAndGoesOnWhenItIsFree) {
  ExpectToldThenDone([&](const std::function<void()>& until) { first_.index().Write(until); },
                     "another process that writes to " + (path_ / "index.db").string(),
                     [](Repository& repository) { PublishSample(repository, "a"); });
}

}  // namespace
}  // namespace statelib::storage
