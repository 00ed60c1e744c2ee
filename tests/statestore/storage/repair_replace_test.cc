// SPDX-License-Identifier: Apache-2.0
// How repair puts the new index in the place of the old one, wherever that is cut off.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "statestore/storage/repair.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/faulty_file_system.h"
#include "tests/statestore/file_tree.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

namespace fs = std::filesystem;
using Access = Repository::Access;
using testing::ElementsAre;
using testing::HasSubstr;
using Names = std::vector<std::string>;

/// A file system that knows no hard links, if asked to be one.
class Files : public FaultyFileSystem {
 public:
  Files(bool knows_links, int fail_at, bool dies)
      : FaultyFileSystem(fail_at, dies), knows_links_(knows_links) {}
  bool Link(const Path& file, const Path& name) override {
    if (!knows_links_) Throw(ErrorKind::kUnsupported, "no links here");
    return FaultyFileSystem::Link(file, name);
  }

 private:
  bool knows_links_;
};

constexpr int kNever = 1'000'000;

/// The parameter: whether there are hard links.
class ReplacedIndex : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    PublishSample(*std::make_unique<Repository>(Open(library_)), "first", 5, 1);
  }
  static Repository Open(const fs::path& library) {
    return Repository::Open(library, Access::kCreate);
  }
  static Names NamesOf(const fs::path& library) {
    const Repository repository = Open(library);
    ExpectClean(repository);
    Names names;
    for (const ReferenceRow& row : repository.index().references().List({}))
      names.push_back(row.name);
    return names;
  }
  RepairReport Rebuild(FileSystem& files) {
    return RepairIndex(library_, files, {.rebuild = true, .now_ms = 5000});
  }
  static void Copy(const fs::path& from, const fs::path& to) {
    fs::remove_all(to);
    fs::copy(from, to, fs::copy_options::recursive);
  }
  fs::path Kept(const std::string& end = "") const {
    return library_ / ("index.db.damaged-1" + end);
  }

  /// Has a library whose newest name stands in the index's log alone.
  void AddLog() {
    {
      Repository open = Open(library_);
      PublishSample(open, "second", 5, 2);
      Copy(library_, folder_.path() / "open");
    }
    Copy(folder_.path() / "open", library_);
    ASSERT_GT(fs::file_size(library_ / "index.db-wal"), 0u);
  }

  /// Fails at each change that repair makes, with and without dying of it. Whoever comes next finds
  /// these names or is refused; repair ends it. Returns how many were refused.
  int FailEverywhere(const Names& names) {
    const fs::path original = folder_.path() / "original", looked_at = folder_.path() / "looked-at";
    Copy(library_, original);
    int refused = 0;
    bool finished = false;
    for (int n = 1; !finished; ++n) {
      for (const bool dies : {true, false}) {
        SCOPED_TRACE(fmt::format("change {}, {}", n, dies));
        Copy(original, library_);
        Files files(GetParam(), n, dies);
        try {
          Rebuild(files);
        } catch (const Error& error) {
          EXPECT_EQ(error.kind(), ErrorKind::kIo);
        }
        finished = !files.failed();
        Copy(library_, looked_at);  // for SQLite tidies up
        try {
          EXPECT_EQ(NamesOf(looked_at), names);
        } catch (const Error& error) {
          EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
          EXPECT_THAT(error.what(), HasSubstr("`statelib repair`"));
          ++refused;
        }
        RepairIndex(library_, FileSystem::Real(), {.now_ms = 5000});
        EXPECT_EQ(NamesOf(library_), names);
      }
      if (HasFailure() || n > 100) break;
    }
    return refused;
  }

  TemporaryDirectory folder_;
  const fs::path library_ = folder_.path() / "library";
};

INSTANTIATE_TEST_SUITE_P(Links, ReplacedIndex, testing::Bool(), [](const auto& info) {
  return info.param ? "WithLinks" : "WithoutLinks";
});

TEST_P(ReplacedIndex, IsTheOldOneOrTheNewOneAtEveryChange) {
  const int refused = FailEverywhere({"first"});
  EXPECT_EQ(refused == 0, GetParam());  // without links there is an instant without an index
}

TEST_P(ReplacedIndex, NeverMissesItsLogNorGetsAnothersAtAnyChange) {
  AddLog();
  EXPECT_GT(FailEverywhere({"first", "second"}), 0);
}

TEST_P(ReplacedIndex, IsKeptWithItsLog) {
  AddLog();
  Files files(GetParam(), kNever, false);
  EXPECT_EQ(Rebuild(files).damaged_index, Kept());
  EXPECT_EQ(files.FileSize(Kept()), fs::file_size(folder_.path() / "open/index.db"));
  EXPECT_EQ(files.FileSize(Kept("-wal")), fs::file_size(folder_.path() / "open/index.db-wal"));
  for (const char* name : {"index.db-wal", "index.db-shm", "index.db.repairing"})
    EXPECT_FALSE(files.Exists(library_ / name)) << name;
  // And the next one under the next number.
  EXPECT_EQ(Rebuild(files).damaged_index.filename(), "index.db.damaged-2");
}

TEST_P(ReplacedIndex, IsRefusedWhileARepairHasNotEnded) {
  std::ofstream(library_ / "index.db.repairing").close();
  const FileTree before = TreeOf(library_);
  for (const Access access : {Access::kRead, Access::kWrite, Access::kCreate}) {
    ExpectError(ErrorKind::kCorrupt, "a repair of its index has not ended",
                [&] { Repository::Open(library_, access); });
  }
  EXPECT_EQ(DifferenceOf(before, TreeOf(library_)), "");
  Files files(GetParam(), kNever, false);
  EXPECT_EQ(RepairIndex(library_, files, {}).damage, "a repair had been cut off");
  EXPECT_THAT(NamesOf(library_), ElementsAre("first"));
}

TEST_P(ReplacedIndex, OfALibraryThatHoldsNothingIsNoFreshOneWhileARepairHasNotEnded) {
  const fs::path empty = folder_.path() / "empty";
  Open(empty);
  fs::rename(empty / "index.db", empty / "index.db.damaged-1");
  std::ofstream(empty / "index.db.repairing").close();
  ExpectError(ErrorKind::kCorrupt, "`statelib repair` ends it", [&] { Open(empty); });
  Files files(GetParam(), kNever, false);
  EXPECT_TRUE(RepairIndex(empty, files, {}).rebuilt);
  EXPECT_THAT(NamesOf(empty), testing::IsEmpty());
}

}  // namespace
}  // namespace statelib::storage
