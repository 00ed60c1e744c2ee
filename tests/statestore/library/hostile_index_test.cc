// SPDX-License-Identifier: Apache-2.0
#include "tests/statestore/hostile_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "statestore/library/diff.h"
#include "statestore/library/history.h"
#include "statestore/library/inspect.h"
#include "statestore/library/organise.h"
#include "statestore/library/search.h"
#include "statestore/library/transfer.h"
#include "statestore/remote/folder_remote.h"
#include "tests/sanitized.h"
#include "tests/statestore/library/index_changes.h"
#include "tests/temporary_directory.h"

namespace statelib::library {
namespace {

namespace fs = std::filesystem;

using storage::Attempt;

constexpr rlim_t kCpuSeconds = 60;  // of all use cases together, which take a few ms
constexpr rlim_t kMemoryBytes = rlim_t{4}
                                << 30;  // of addresses; not under sanitizers, which map more

/// The library's use cases that need no model.
void UseLibrary(Library& library, const fs::path& scratch) {
  for (const char* name : {"a", "a@1", "a@2", "far", "delta", "draft", "whole"}) {
    Attempt("show", [&] { Show(library, name); });
    Attempt("log", [&] { Log(library, name); });
    Attempt("status", [&] { StatusOf(library, library.Resolve(name)); });
    Attempt("diff", [&] {
      Diff(library, library.Resolve("far"), library.Resolve(name), nullptr, nullptr);
    });
  }
  Attempt("search", [&] { Search(library, "fox", {}); });
  fs::create_directories(scratch / "share");
  for (const bool all : {false, true}) {
    Attempt("push", [&] {
      Selection everything{{}, all};
      for (const storage::ReferenceRow& row : List(library, {}))
        everything.names.push_back(row.name + ":" + row.tag);
      Push(library, *remote::OpenFolderRemote(scratch / "share"), everything, {});
    });
  }
  Attempt("undo", [&] { Undo(library, storage::Reference::Parse("a")); });
  Attempt("checkout", [&] { Checkout(library, "a@2"); });
  Attempt("branch", [&] { Branch(library, "far", storage::Reference::Parse("branch")); });
  Attempt("cp", [&] { Copy(library, "delta", storage::Reference::Parse("copy")); });
  Attempt("mv", [&] {
    Move(library, storage::Reference::Parse("copy"), storage::Reference::Parse("moved"));
  });
  Attempt("rm", [&] {
    Remove(library, {storage::Reference::Parse("whole"), storage::Reference::Parse("moved")},
           false);
  });
}

void UseAll(const fs::path& folder, const fs::path& scratch) {
  Attempt("open", [&] {
    Library library = Library::Open(folder, Library::Access::kWrite);
    storage::ReadEverything(library.repository());
    storage::ExportEverything(library.repository(), scratch);
    UseLibrary(library, scratch);
    storage::WriteEverything(library.repository());
  });
}

/// What verify says of a library, or the error that kept it from being opened.
std::string Findings(const fs::path& folder) {
  try {
    const Library library = Library::Open(folder, Library::Access::kRead);
    std::string findings;
    for (const storage::Problem& problem : storage::Verify(library.repository()).problems)
      findings += problem.what + "\n";
    return findings;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.what();
    EXPECT_THAT(error.what(), testing::HasSubstr("statelib repair"));
    return error.what();
  }
}

/// Runs `body` in a process of its own, with bounded time and memory; returns how that ended.
template <typename Body>
int InItsOwnProcess(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit time{kCpuSeconds, kCpuSeconds}, memory{kMemoryBytes, kMemoryBytes};
    ::setrlimit(RLIMIT_CPU, &time);
    if (!kIsSanitized) ::setrlimit(RLIMIT_AS, &memory);
    try {
      body();
      ::_exit(0);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    ::_exit(1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

class HostileIndex : public testing::Test {
 protected:
  HostileIndex() { storage::MakeLibraryOfEverything(sound_); }

  /// A copy of the library with a change to its index.
  fs::path Changed(const std::string& name, const std::string& sql) {
    const fs::path copy = folder_.path() / name;
    fs::copy(sound_, copy, fs::copy_options::recursive);
    storage::ChangeIndex(copy / "index.db", sql);
    return copy;
  }

  TemporaryDirectory folder_;
  fs::path sound_ = folder_.path() / "sound";
};

TEST_F(HostileIndex, EveryUseOfASoundLibraryEndsWell) {
  EXPECT_EQ(Findings(sound_), "");
  EXPECT_EQ(InItsOwnProcess([&] { UseAll(sound_, folder_.path()); }), 0);
  EXPECT_TRUE(fs::exists(folder_.path() / "bundle"));
  EXPECT_TRUE(fs::exists(folder_.path() / "share" / "objects"));
  EXPECT_EQ(Findings(sound_), "");
  const Library library = Library::Open(sound_, Library::Access::kRead);
  EXPECT_THAT(List(library, {}), testing::SizeIs(2));  // branch, new
}

TEST_F(HostileIndex, NoChangeOfItCrashesHangsOrExhaustsAnyUse) {
  for (const IndexChange& change : kIndexChanges) {
    SCOPED_TRACE(change.name);
    const fs::path copy = Changed(change.name, change.sql);
    EXPECT_EQ(InItsOwnProcess([&] { UseAll(copy, folder_.path()); }), 0);
    fs::remove_all(copy);
  }
}

TEST_F(HostileIndex, VerifyNamesEveryChange) {
  for (const IndexChange& change : kIndexChanges) {
    SCOPED_TRACE(change.name);
    const fs::path copy = Changed(change.name, change.sql);
    const std::string findings = Findings(copy);
    EXPECT_THAT(findings, testing::HasSubstr(change.found));
    fs::remove_all(copy);
  }
}

TEST_F(HostileIndex, ForgettingAModelThatStatesNeedAndThatIsNotThereIsDamage) {
  const fs::path copy = Changed("copy", "DELETE FROM models");
  Library library = Library::Open(copy, Library::Access::kWrite);
  try {
    library.repository().index().models().Remove(storage::SampleModel().fingerprint);
    FAIL() << "nothing was refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.what(), testing::HasSubstr("it has no row of the model"));
  }
}

TEST_F(HostileIndex, OneBadRowDoesNotKeepTheOthersFromBeingVerified) {
  const fs::path copy = Changed("copy", "UPDATE refs SET moved_at = 'then' WHERE key = 1");
  const Library library = Library::Open(copy, Library::Access::kRead);
  const storage::VerifyReport report = storage::Verify(library.repository());
  EXPECT_EQ(report.states, 7u);
  EXPECT_FALSE(report.problems.empty());
}

}  // namespace
}  // namespace statelib::library
