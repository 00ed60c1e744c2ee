// SPDX-License-Identifier: Apache-2.0
// Whatever change to the files fails, the records tell of all of a use case or of nothing of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "tests/statestore/faulty_file_system.h"
#include "tests/statestore/storage/repaired_library.h"

namespace statelib::storage {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

/// What a library is after some changes, as the index says and as its records say.
class Interrupted : public Repair {
 protected:
  /// Fails at each change of `body` to the files, with and without dying of it, and expects the
  /// names from before it or after it, from the index and from the records, however it goes on.
  void FailEverywhere(const std::function<void(Repository&)>& body) {
    const fs::path original = folder_.path() / "original";
    fs::copy(library_, original, fs::copy_options::recursive);
    const std::vector<std::string> before = Names();
    {
      Repository repository = Open();
      body(repository);
    }
    const std::vector<std::string> after = Names();
    ASSERT_NE(before, after);
    bool finished = false;
    for (int n = 1; !finished; ++n) {
      for (const bool dies : {true, false}) {
        SCOPED_TRACE(fmt::format("change {}, {}", n, dies));
        fs::remove_all(library_);
        fs::copy(original, library_, fs::copy_options::recursive);
        FaultyFileSystem files(n, dies);
        try {
          Repository repository = Open(files);
          body(repository);
        } catch (const Error&) {
        }
        finished = !files.failed();
        const std::vector<std::string> now = Names();
        EXPECT_TRUE(now == before || now == after);
        const fs::path kept = folder_.path() / "kept";
        fs::remove_all(kept);
        fs::copy(library_, kept, fs::copy_options::recursive);
        LoseIndex();
        Run();
        const std::vector<std::string> repaired = Names();
        EXPECT_TRUE(repaired == before || repaired == after);
        // From where the index has it: again, and then no trace of what was cut off.
        fs::remove_all(library_);
        fs::rename(kept, library_);
        if (now == before) {
          Repository repository = Open();
          body(repository);
        }
        if (n % 2 == 0) Collect();
        EXPECT_EQ(Names(), after);
        LoseIndex();
        Run();
        EXPECT_EQ(Names(), after);
        if (HasFailure()) return;
      }
      ASSERT_LT(n, 200);
    }
  }
};

TEST_F(Interrupted, PublishingIsAllOrNothingInTheRecordsToo) {
  Fill();
  FailEverywhere([](Repository& repository) { PublishSample(repository, "new", 5, 30, 3000); });
}

TEST_F(Interrupted, RenamingIsAllOrNothingInTheRecordsToo) {
  Fill();
  FailEverywhere([](Repository& repository) {
    repository.index().references().Rename("a", "latest", "z", "latest", 3000);
  });
}

TEST_F(Interrupted, RemovingAndReturningAreAllOrNothingInTheRecordsToo) {
  Fill();
  FailEverywhere(
      [](Repository& repository) { repository.index().references().Remove("moved", "v1", 3000); });
}

TEST_F(Interrupted, SeveralNamesAtOnceAreAllOrNothingInTheRecordsToo) {
  Fill();
  FailEverywhere([](Repository& repository) {
    const StateId state = repository.Resolve("read").state.id;
    const int64_t derivation = *repository.Resolve("read").derivation;
    repository.index().Write([&] {
      for (const char* name : {"x", "y", "z"})
        repository.index().references().Move(name, "latest", state, derivation, 3000);
    });
  });
}

TEST_F(Interrupted, GcRevivesNothingThatRmRemovedWhereverItFails) {
  Fill();
  {
    Repository repository = Open();
    // A line under two names, one of which was taken again.
    repository.index().references().Remove("there", "now", 2000);
    repository.index().references().Remove("long", "latest", 2001);
  }
  const std::vector<std::string> names = Names();
  const fs::path original = folder_.path() / "original";
  fs::rename(library_, original);
  bool finished = false;
  for (int n = 1; !finished; ++n) {
    SCOPED_TRACE(n);
    fs::remove_all(library_);
    fs::copy(original, library_, fs::copy_options::recursive);
    FaultyFileSystem files(n, true);
    try {
      Repository repository = Open(files);
      CollectGarbage(repository, {.now_ms = kYearsLater});
    } catch (const Error&) {
    }
    finished = !files.failed();
    for (const bool again : {false, true}) {
      if (again) Collect();
      LoseIndex();
      const RepairReport report = Run();
      EXPECT_THAT(report.lost, IsEmpty());
      EXPECT_EQ(Names(), names);
    }
    if (HasFailure()) return;
    ASSERT_LT(n, 200);
  }
}

}  // namespace
}  // namespace statelib::storage
