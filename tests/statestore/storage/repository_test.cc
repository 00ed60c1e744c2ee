// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/repository.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "tests/statestore/expect_error.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

using Access = Repository::Access;

TEST(Repository, IsMadeOnceAndOpenedAgain) {
  TemporaryDirectory folder;
  const auto path = folder.path() / "some" / "where";
  ExpectError(ErrorKind::kNotFound, path.string() + ": there is no library",
              [&] { Repository::Open(path, Access::kRead); });
  EXPECT_FALSE(std::filesystem::exists(path));
  {
    Repository made = Repository::Open(path, Access::kCreate);
    PublishSample(made, "a");
  }
  const Repository repository = Repository::Open(path, Access::kRead);
  EXPECT_EQ(repository.Resolve("a").reference->version, 1u);
  for (const char* name : {"index.db", "objects", "tmp", "locks"})
    EXPECT_TRUE(std::filesystem::exists(path / name)) << name;
}

TEST(Repository, FoldersThatABackupLeftOutAreMadeAgain) {
  TemporaryDirectory folder;
  const auto path = folder.path() / "library";
  Repository::Open(path, Access::kCreate);
  for (const Access access : {Access::kRead, Access::kWrite}) {
    for (const char* name : {"objects", "tmp", "locks"}) std::filesystem::remove_all(path / name);
    Repository repository = Repository::Open(path, access);
    EXPECT_NO_THROW(repository.ReadLease());
    for (const char* name : {"objects", "tmp", "locks"})
      EXPECT_TRUE(std::filesystem::is_directory(path / name)) << name;
  }
  Repository repository = Repository::Open(path, Access::kWrite);
  EXPECT_NO_THROW(PublishSample(repository, "a"));
  EXPECT_NO_THROW(CollectGarbage(repository, {}));
}

TEST(Repository, AFolderWithOtherThingsIsNoLibrary) {
  TemporaryDirectory folder;
  const auto file = folder.Write("thesis.doc", "x");
  for (const Access access : {Access::kCreate, Access::kWrite, Access::kRead}) {
    ExpectError(ErrorKind::kInvalidArgument, "not a statelib library: it holds thesis.doc",
                [&] { Repository::Open(folder.path(), access); });
  }
  ExpectError(ErrorKind::kInvalidArgument, "expected the folder of a library, found a file",
              [&] { Repository::Open(file, Access::kCreate); });
  EXPECT_EQ(FileSystem::Real().List(folder.path()).size(), 1u);
}

TEST(Repository, ACreationThatWasCutOffIsFinished) {
  TemporaryDirectory folder;
  std::filesystem::create_directories(folder.path() / "objects");
  Repository repository = Repository::Open(folder.path(), Access::kCreate);
  PublishSample(repository, "a");
  ExpectClean(repository);
}

class NamedStates : public testing::Test {
 protected:
  NamedStates() {
    first_ = PublishSample(repository_, "handbook", 5, 1).state.id;
    second_ = PublishSample(repository_, "handbook", 6, 2).state.id;
    PublishSample(repository_, "minutes:draft", 7, 3);
  }

  TemporaryDirectory folder_;
  Repository repository_ = Repository::Open(folder_.path() / "library", Access::kCreate);
  StateId first_;
  StateId second_;
};

TEST_F(NamedStates, AreFoundByNameByVersionAndById) {
  EXPECT_EQ(repository_.Resolve("handbook").state.id, second_);
  EXPECT_EQ(repository_.Resolve("handbook@1").state.id, first_);
  EXPECT_EQ(repository_.Resolve("handbook:latest@2").reference->Text(), "handbook@2");
  const ResolvedState by_id = repository_.Resolve(first_.Hex().substr(0, 6));
  EXPECT_EQ(by_id.state.id, first_);
  EXPECT_FALSE(by_id.reference);
  EXPECT_EQ(repository_.Resolve(first_.Hex()).state.id, first_);
}

TEST_F(NamedStates, ANameGoesBeforeAnId) {
  const std::string name = first_.Hex().substr(0, 8);
  const StateId named = PublishSample(repository_, name, 9, 9).state.id;
  EXPECT_EQ(repository_.Resolve(name).state.id, named);
}

TEST_F(NamedStates, AnUnknownNameListsTheNearest) {
  ExpectError(ErrorKind::kNotFound, "there is no state named handbok; did you mean handbook?",
              [&] { repository_.Resolve("handbok"); });
  ExpectError(ErrorKind::kNotFound, "there is no state named minutes; did you mean minutes:draft?",
              [&] { repository_.Resolve("minutes"); });
  ExpectError(ErrorKind::kNotFound, "handbook has no version 9: its versions are 1 to 2",
              [&] { repository_.Resolve("handbook@9"); });
  ExpectError(ErrorKind::kNotFound, "`statelib list` shows those there are",
              [&] { repository_.Resolve("zzzzzz"); });
  ExpectError(ErrorKind::kNotFound, "abcdef0123", [&] { repository_.Resolve("abcdef0123"); });
}

/// Runs `body` in a child that may not write to root's files; returns its exit status.
int RunUnprivileged(const std::function<bool()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(3);
    bool good = false;
    try {
      good = body();
    } catch (const std::exception& error) {
      fprintf(stderr, "%s\n", error.what());
    }
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class ReadOnlyLibrary : public testing::Test {
 protected:
  ReadOnlyLibrary() {
    Repository repository = Repository::Open(path_, Access::kCreate);
    PublishSample(repository, "a");
  }
  void Protect() {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
      ::chmod(entry.path().c_str(), entry.is_directory() ? 0555 : 0444);
    }
    ::chmod(folder_.path().c_str(), 0555);
  }
  ~ReadOnlyLibrary() override {
    ::chmod(folder_.path().c_str(), 0755);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path()))
      ::chmod(entry.path().c_str(), entry.is_directory() ? 0755 : 0644);
  }

  TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_.path() / "library";
};

TEST_F(ReadOnlyLibrary, CanBeReadAndVerified) {
  Protect();
  EXPECT_EQ(RunUnprivileged([&] {
              const Repository repository = Repository::Open(path_, Access::kRead);
              return !repository.writable() && repository.Resolve("a").state.raw_bytes > 0 &&
                     Verify(repository).problems.empty();
            }),
            0);
}

TEST_F(ReadOnlyLibrary, IsNotOpenedForWriting) {
  Protect();
  EXPECT_EQ(RunUnprivileged([&] {
              try {
                Repository::Open(path_, Access::kWrite);
              } catch (const Error& error) {
                const std::string what = error.what();
                return error.kind() == ErrorKind::kIo &&
                       what.starts_with("cannot write to the library " + path_.string()) &&
                       what.find("check the permissions") != std::string::npos;
              }
              return false;
            }),
            0);
}

}  // namespace
}  // namespace statelib::storage
