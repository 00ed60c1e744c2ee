// SPDX-License-Identifier: Apache-2.0
#include "statestore/documents/folder.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "statestore/documents/glob.h"
#include "tests/statestore/expect_error.h"
#include "tests/temporary_directory.h"

namespace statelib::documents {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;

class Folder : public testing::Test {
 protected:
  void Write(const std::vector<std::string>& files) {
    for (const std::string& file : files) directory_.Write("root/" + file, "words\n");
  }
  std::vector<std::string> Files(const FolderOptions& options = {}) {
    std::vector<std::string> names;
    for (const fs::path& file : FilesIn(Root(), options))
      names.push_back(fs::path(file).lexically_relative(Root()).string());
    return names;
  }
  fs::path Root() const { return directory_.path() / "root"; }

  TemporaryDirectory directory_;
};

TEST_F(Folder, FilesComeInTheOrderOfTheirBytesWithoutHiddenOnes) {
  Write({"b.md", "a/z.md", "a.md", "a-b.md", ".hidden/x.md", ".x.md", "B.md", ".git/config"});
  EXPECT_THAT(Files(), ElementsAre("B.md", "a-b.md", "a.md", "a/z.md", "b.md"));
  FolderOptions all;
  all.hidden = true;
  EXPECT_THAT(Files(all),
              ElementsAre(".hidden/x.md", ".x.md", "B.md", "a-b.md", "a.md", "a/z.md", "b.md"));
}

TEST_F(Folder, PatternsIncludeAndExclude) {
  Write({"a.md", "b.txt", "docs/c.md", "docs/d.txt", "drafts/e.md", "docs/drafts/f.md"});
  FolderOptions options;
  options.include = {"*.md"};
  EXPECT_THAT(Files(options), ElementsAre("a.md", "docs/c.md", "docs/drafts/f.md", "drafts/e.md"));
  options.exclude = {"drafts/"};
  EXPECT_THAT(Files(options), ElementsAre("a.md", "docs/c.md"));
  options.exclude = {"/drafts"};
  options.include = {"docs/"};
  EXPECT_THAT(Files(options), ElementsAre("docs/c.md", "docs/d.txt", "docs/drafts/f.md"));
  options.include = {"!x"};
  ExpectError(ErrorKind::kInvalidArgument, "is no pattern", [&] { Files(options); });
}

TEST_F(Folder, LinksAreFollowedAndLoopsRefused) {
  Write({"a/x.md", "b/y.md"});
  fs::create_directory_symlink(Root() / "b", Root() / "a" / "to-b");
  fs::create_symlink(Root() / "nowhere", Root() / "broken.md");
  EXPECT_THAT(Files(), ElementsAre("a/to-b/y.md", "a/x.md", "b/y.md"));
  fs::create_directory_symlink(Root() / "a", Root() / "b" / "to-a");
  ExpectError(ErrorKind::kInvalidArgument, "leads back", [&] { Files(); });
  FolderOptions options;
  options.exclude = {"to-*"};
  EXPECT_THAT(Files(options), ElementsAre("a/x.md", "b/y.md"));
}

TEST_F(Folder, IgnoreFilesAboveCountInsideARepository) {
  Write({"docs/a.md", "docs/b.log"});
  directory_.Write("root/.gitignore", "*.log\n");
  const auto names = [&] {
    std::vector<std::string> found;
    for (const fs::path& file : FilesIn(Root() / "docs", {}))
      found.push_back(file.filename().string());
    return found;
  };
  EXPECT_THAT(names(), ElementsAre("a.md", "b.log"));
  fs::create_directory(Root() / ".git");
  EXPECT_THAT(names(), ElementsAre("a.md"));
}

TEST_F(Folder, IgnoreFilesMeanWhatGitSaysTheyMean) {
  if (std::system("git --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "git is not installed";
  Write({"a.md",           "a.log",
         "keep.log",       "build/x.md",
         "src/build/x.md", "src/a.tmp",
         "src/deep/a.tmp", "src/deep/b.md",
         "doc/one.txt",    "doc/sub/two.txt",
         "x/y/z/deep.md",  "x/z/deep.md",
         "space ",         "#hash",
         "!bang",          "foo/bar/q.md",
         "foo/q.md",       "a1.dat",
         "a2.dat",         "b1.dat",
         "star*.md",       "starry.md",
         "q[1].md",        "n/keep.md",
         "n/drop.md",      "only/f",
         "dir/only/g",     "back\\slash",
         "T.md",           "v/w/leaf.md",
         "x1/abc/d.md",    "abc",
         "m/abc/e.md",     "cr.md"});
  directory_.Write(
      "root/.gitignore",
      "# a comment\n\n*.log\n!keep.log\nbuild/\n/doc/*.txt\n**/z/deep.md\nspace\\ \n"
      "\\#hash\n\\!bang\nfoo/**/q.md\na[0-1].dat\n[!a]1.dat\nstar\\*.md\nq\\[1\\].md\n"
      "n/*\n!n/keep.md\nonly/\n!only/f\nv/**\nabc\n!m/abc/e.md\ncr.md\r\n[[:upper:]].md\n"
      "unclosed[\n  \n/x1/a?c/\n");
  directory_.Write("root/src/.gitignore", "*.tmp\n!/deep/*.tmp\n!build/\n");
  directory_.Write("root/src/deep/.gitignore", "*.md   \n");
  const std::string git =
      "cd '" + Root().string() +
      "' && git init -q . && git ls-files -z "
      "--others --exclude-from=/dev/null --exclude-per-directory=.gitignore >../list";
  ASSERT_EQ(std::system(git.c_str()), 0);
  std::ifstream list(directory_.path() / "list", std::ios::binary);
  std::vector<std::string> wanted;
  for (std::string name; std::getline(list, name, '\0');) wanted.push_back(name);
  std::sort(wanted.begin(), wanted.end());
  ASSERT_GT(wanted.size(), 10u);
  FolderOptions options;
  options.hidden = true;
  EXPECT_EQ(Files(options), wanted);
  options.ignore_files = false;
  EXPECT_EQ(Files(options).size(), 37u);
}

TEST(Glob, ManyStarsTakeNoLongerThanTheirLengths) {
  std::string pattern;
  for (int i = 0; i < 2000; ++i) pattern += "*a";
  EXPECT_FALSE(MatchesName(pattern + "b", std::string(4000, 'a')));
  EXPECT_TRUE(MatchesName(pattern, std::string(4000, 'a')));
}

}  // namespace
}  // namespace statelib::documents
