// SPDX-License-Identifier: Apache-2.0
#include "core/base/output_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <future>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "tests/temporary_directory.h"

namespace statelib {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class Outputs : public testing::Test {
 protected:
  fs::path Path(const std::string& name) const { return folder_.path() / name; }
  fs::path Link(const std::string& name, const fs::path& target) const {
    fs::create_symlink(target, Path(name));
    return Path(name);
  }
  static void Write(const fs::path& path) {
    WriteFileAtomically(FileSystem::Real(), path, AsBytes("new"));
  }
  static std::string Read(const fs::path& path) {
    return std::string(AsText(FileSystem::Real().ReadFile(path, 100)));
  }
  std::vector<fs::path> Names() const { return FileSystem::Real().List(folder_.path()); }

  TemporaryDirectory folder_;
};

TEST_F(Outputs, ALinkStaysAndItsTargetIsReplacedWhereItLies) {
  folder_.Write("there/file", "old");
  const fs::path link = Link("link", Link("middle", "there/file").filename());
  Write(link);
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_TRUE(fs::is_symlink(Path("middle")));
  EXPECT_EQ(Read(Path("there/file")), "new");
  EXPECT_THAT(FileSystem::Real().List(Path("there")), ElementsAre("file"));
}

TEST_F(Outputs, ALinkToNothingMakesItsTarget) {
  Write(Link("link", "file"));
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(Read(Path("file")), "new");
}

TEST_F(Outputs, ALoopOfLinksIsRefused) {
  Link("a", "b");
  Link("b", "a");
  EXPECT_THROW(Write(Path("a")), Error);
  EXPECT_THAT(Names(), ElementsAre("a", "b"));
}

TEST_F(Outputs, ADeviceIsWrittenThroughAndStays) {
  Write("/dev/null");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  Write(Link("null", "/dev/null"));
  EXPECT_TRUE(fs::is_symlink(Path("null")));
  EXPECT_THAT(Names(), ElementsAre("null"));
}

TEST_F(Outputs, AFullDeviceIsAnError) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full";
  EXPECT_THROW(Write("/dev/full"), Error);
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(Outputs, AFifoIsWrittenThroughAndStays) {
  ASSERT_EQ(::mkfifo(Path("fifo").c_str(), 0600), 0);
  auto read = std::async([&] {
    std::ifstream stream(Path("fifo"));
    return std::string(std::istreambuf_iterator<char>(stream), {});
  });
  Write(Path("fifo"));
  EXPECT_EQ(read.get(), "new");
  EXPECT_TRUE(fs::is_fifo(Path("fifo")));
  EXPECT_THAT(Names(), ElementsAre("fifo"));
}

TEST_F(Outputs, AnOpenFileIsWrittenBehindWhatItHolds) {
  std::FILE* const file = std::fopen(folder_.Write("file", "old ").c_str(), "ae");
  ASSERT_NE(file, nullptr);
  Write(fs::path("/proc/self/fd") / std::to_string(::fileno(file)));
  std::fclose(file);
  EXPECT_EQ(Read(Path("file")), "old new");
  EXPECT_THAT(Names(), ElementsAre("file"));
}

TEST_F(Outputs, AFolderIsRefused) {
  EXPECT_THROW(Write(folder_.path()), Error);
  EXPECT_TRUE(Names().empty());
}

TEST_F(Outputs, PermissionsAreThoseAskedForOrTheUmasks) {
  const mode_t before = ::umask(027);
  FileSystem::Real().Create(Path("private"), 0600)->Close();
  FileSystem::Real().Create(Path("group"), 0660)->Close();
  FileSystem::Real().Create(Path("plain"))->Close();
  FileSystem::Real().CreateDirectories(Path("folder/inner"), 02770);
  FileSystem::Real().CreateDirectories(Path("folder/inner"), 0700);
  ::umask(before);
  const auto mode = [&](const char* name) {
    struct stat info {};
    ::stat(Path(name).c_str(), &info);
    return info.st_mode & 07777;
  };
  EXPECT_EQ(mode("private"), 0600u);
  EXPECT_EQ(mode("group"), 0660u);
  EXPECT_EQ(mode("plain"), 0640u);
  EXPECT_EQ(mode("folder"), 02770u);
  EXPECT_EQ(mode("folder/inner"), 02770u);
}

}  // namespace
}  // namespace statelib
