// SPDX-License-Identifier: Apache-2.0
// Several processes in one library at once, and processes that are killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <thread>

#include "core/base/error.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

using Access = Repository::Access;

pid_t Fork(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  int status = 0;
  try {
    body();
  } catch (const std::exception& error) {
    fprintf(stderr, "child: %s\n", error.what());
    status = 1;
  }
  ::_exit(status);
}

void ExpectAllSucceed(const std::vector<pid_t>& children) {
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
}

TEST(Processes, MakingOneLibraryAtOnceAllSucceed) {
  TemporaryDirectory folder;
  std::vector<pid_t> children;
  for (unsigned i = 0; i < 6; ++i) {
    children.push_back(Fork([&folder, i] {
      Repository repository = Repository::Open(folder.path() / "library", Access::kCreate);
      PublishSample(repository, "name" + std::to_string(i), 5, i + 1);
    }));
  }
  ExpectAllSucceed(children);
  const Repository repository = Repository::Open(folder.path() / "library", Access::kWrite);
  EXPECT_EQ(repository.index().references().List({}).size(), 6u);
  ExpectClean(repository);
}

TEST(Processes, WritingTheSameNameAtOnceLoseNoVersionWhileGcRuns) {
  constexpr unsigned kWriters = 4;
  constexpr unsigned kEach = 8;
  TemporaryDirectory folder;
  const auto path = folder.path() / "library";
  Repository::Open(path, Access::kCreate);
  std::vector<pid_t> children;
  for (unsigned writer = 0; writer < kWriters; ++writer) {
    children.push_back(Fork([&path, writer] {
      Repository repository = Repository::Open(path, Access::kWrite);
      for (unsigned i = 0; i < kEach; ++i)
        PublishSample(repository, "shared", 5, 1 + writer * kEach + i);
    }));
  }
  children.push_back(Fork([&path] {
    Repository repository = Repository::Open(path, Access::kWrite);
    for (int i = 0; i < 10; ++i) {
      if (!CollectGarbage(repository, {}).states.empty())
        throw Error(ErrorKind::kCorrupt, "gc found garbage where there is none");
    }
  }));
  ExpectAllSucceed(children);
  const Repository repository = Repository::Open(path, Access::kWrite);
  const auto versions = repository.index().references().Versions("shared", "latest");
  EXPECT_EQ(versions.size(), kWriters * kEach);
  EXPECT_EQ(versions.back().number, kWriters * kEach);
  EXPECT_EQ(repository.index().states().count(), kWriters * kEach);
  ExpectClean(repository);
}

TEST(Processes, GcIsNotStarvedByReadersThatComeAndGo) {
  TemporaryDirectory folder;
  const auto path = folder.path() / "library";
  Repository::Open(path, Access::kCreate);
  std::vector<pid_t> readers;
  for (int i = 0; i < 8; ++i) {
    readers.push_back(Fork([&path] {
      const Repository repository = Repository::Open(path, Access::kWrite);
      // Eight that hold a lease nearly all the time: there is hardly a moment with none.
      while (true) {
        const Lease lease = repository.ReadLease();
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
      }
    }));
  }
  Repository repository = Repository::Open(path, Access::kWrite);
  for (int i = 0; i < 3; ++i) EXPECT_NO_THROW(CollectGarbage(repository, {}));
  for (const pid_t reader : readers) {
    ::kill(reader, SIGKILL);
    ::waitpid(reader, nullptr, 0);
  }
}

TEST(Processes, ALeaseThatIsHeldIsTakenOnceMoreWhileGcWaits) {
  TemporaryDirectory folder;
  const auto path = folder.path() / "library";
  const Repository repository = Repository::Open(path, Access::kCreate);
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  // Forked before the lease is taken: a child would hold what its parent held.
  const pid_t gc = Fork([&] {
    char go = 0;
    if (::read(pipe_ends[0], &go, 1) != 1) throw Error(ErrorKind::kIo, "nobody said when to begin");
    Repository other = Repository::Open(path, Access::kWrite);
    CollectGarbage(other, {});
  });
  Lease lease = repository.ReadLease();
  ASSERT_EQ(::write(pipe_ends[1], "g", 1), 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  { const Lease again = repository.WriteLease(); }
  lease.reset();
  ExpectAllSucceed({gc});
}

TEST(Processes, ReadersSeeWholeStatesOnlyWhileOthersWrite) {
  TemporaryDirectory folder;
  const auto path = folder.path() / "library";
  {
    Repository repository = Repository::Open(path, Access::kCreate);
    PublishSample(repository, "a", 5, 1);
  }
  const pid_t writer = Fork([&path] {
    Repository repository = Repository::Open(path, Access::kWrite);
    for (unsigned i = 2; i < 30; ++i) PublishSample(repository, "a", 4 + i, i);
  });
  const pid_t reader = Fork([&path] {
    const Repository repository = Repository::Open(path, Access::kRead);
    uint64_t last = 0;
    while (last < 33) {
      const StateRow row = repository.Resolve("a").state;
      const std::string location = repository.objects().PathOf(row.id).string();
      const StateHeader header = VerifyState(repository.objects().Get(row.id), location);
      if (header.description.history != row.history || row.history.token_count() < last)
        throw Error(ErrorKind::kCorrupt, "a reader saw an unfinished state");
      last = row.history.token_count();
    }
  });
  ExpectAllSucceed({writer, reader});
}

TEST(Processes, OneThatIsKilledLosesNothingThatItWasToldIsStored) {
  TemporaryDirectory folder;
  const auto path = folder.path() / "library";
  Repository::Open(path, Access::kCreate);
  unsigned seed = 1;
  for (int round = 0; round < 12; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = Fork([&] {
      Repository repository = Repository::Open(path, Access::kWrite);
      for (unsigned i = seed;; ++i) {
        PublishSample(repository, "n" + std::to_string(i), 5, i);
        if (::write(pipe_ends[1], &i, sizeof(i)) != sizeof(i)) break;
      }
    });
    ::close(pipe_ends[1]);
    unsigned stored = 0;
    ASSERT_EQ(::read(pipe_ends[0], &stored, sizeof(stored)), static_cast<ssize_t>(sizeof(stored)));
    std::this_thread::sleep_for(std::chrono::microseconds(700 * round));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(pipe_ends[0], &stored, sizeof(stored)) == sizeof(stored)) {
    }
    ::close(pipe_ends[0]);

    Repository repository = Repository::Open(path, Access::kWrite);
    ExpectClean(repository);
    for (unsigned i = 1; i <= stored; ++i)
      EXPECT_NO_THROW(repository.Resolve("n" + std::to_string(i))) << i;
    seed = stored + 2;  // the child may have stored one more than it could say
    PublishSample(repository, "n" + std::to_string(stored + 1), 5, stored + 1);
    CollectGarbage(repository, {});
    EXPECT_TRUE(repository.objects().Temporaries().empty());
    ExpectClean(repository);
  }
}

}  // namespace
}  // namespace statelib::storage
