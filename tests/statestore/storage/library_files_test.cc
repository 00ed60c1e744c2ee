// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/library_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "statestore/storage/adopt.h"
#include "statestore/storage/maintenance.h"
#include "statestore/storage/repository.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

mode_t ModeOf(const fs::path& path) {
  struct stat info {};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

/// Runs under the umask that takes most from a group and least from others.
class LibraryModes : public testing::Test {
 protected:
  LibraryModes() : before_(::umask(022)) {}
  ~LibraryModes() override { ::umask(before_); }

  /// Leaves something of everything that a library has, open, so that SQLite's files are there.
  static void Use(Repository& repository) {
    PublishSample(repository, "a", 5000, 1);
    const Bytes adopted = {std::byte{1}};
    const fs::path part = repository.places().temporaries / "part";
    const FileLock lock = FileLock::Acquire(part, FileLock::Mode::kExclusive, {});
    std::ofstream(part, std::ios::binary) << AsText(adopted);
    AdoptObject(repository, HashOf(adopted), part);
    std::ofstream(part, std::ios::binary) << "made by something else";
    SetPermissionsIn(repository.path(), part);
    repository.files().CreateDirectories(repository.path() / "cache" / "weights");
    repository.files().Create(repository.path() / "cache" / "weights" / "w")->Close();
  }
  void ExpectModes(mode_t folder, mode_t file) const {
    EXPECT_EQ(ModeOf(library_), folder);
    size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(library_)) {
      EXPECT_EQ(ModeOf(entry.path()), entry.is_directory() ? folder : file) << entry.path();
      files += entry.is_directory() ? 0 : 1;
    }
    EXPECT_GE(files, 9u);
    EXPECT_TRUE(fs::exists(library_ / "index.db-wal"));
    EXPECT_TRUE(fs::exists(library_ / "index.db-shm"));
  }

  mode_t before_;
  TemporaryDirectory folder_;
  fs::path library_ = folder_.path() / "some" / "library";
};

TEST_F(LibraryModes, ANewLibraryIsItsOwnersAlone) {
  Repository repository = Repository::Open(library_, Repository::Access::kCreate);
  Use(repository);
  ExpectModes(0700, 0600);
  EXPECT_EQ(ModeOf(library_.parent_path()), 0755u);  // what is no library is the umask's
  EXPECT_THAT(Verify(repository).warnings, IsEmpty());
}

TEST_F(LibraryModes, AnEmptyFolderBecomesItsOwnersAlone) {
  fs::create_directories(library_);
  Repository repository = Repository::Open(library_, Repository::Access::kCreate);
  Use(repository);
  ExpectModes(0700, 0600);
}

TEST_F(LibraryModes, ASharedLibraryIsItsGroupsWhateverTheUmask) {
  Repository repository = Repository::Init(library_, Sharing::kGroup);
  Use(repository);
  ExpectModes(02770, 0660);
  EXPECT_THAT(Verify(repository).warnings, IsEmpty());
}

TEST_F(LibraryModes, ALibraryThatIsThereKeepsItsModesAndVerifyWarnsOfOthers) {
  Repository::Open(library_, Repository::Access::kCreate);
  for (const auto& entry : fs::recursive_directory_iterator(library_))
    fs::permissions(entry.path(), fs::perms(entry.is_directory() ? 0755 : 0644));
  fs::permissions(library_, fs::perms(0755));
  Repository repository = Repository::Open(library_, Repository::Access::kCreate);
  Use(repository);
  ExpectModes(0755, 0644);
  const VerifyReport report = Verify(repository);
  EXPECT_THAT(report.problems, IsEmpty());
  ASSERT_THAT(report.warnings, SizeIs(1));
  EXPECT_THAT(report.warnings[0], HasSubstr("chmod -R o-rwx"));
}

TEST_F(LibraryModes, InitRefusesALibraryThatIsThere) {
  Repository::Init(library_, Sharing::kPrivate);
  ExpectError(ErrorKind::kInvalidArgument, "there is a library already",
              [&] { Repository::Init(library_, Sharing::kGroup); });
  EXPECT_EQ(ModeOf(library_), 0700u);
}

}  // namespace
}  // namespace statelib::storage
