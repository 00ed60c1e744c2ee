// SPDX-License-Identifier: Apache-2.0
#include "statestore/documents/folder.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "statestore/documents/glob.h"
#include "tests/sanitized.h"
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
    for (const fs::path& file : FilesIn(Root(), options).files)
      names.push_back(fs::path(file).lexically_relative(Root()).string());
    return names;
  }
  std::vector<std::string> Unread() {
    std::vector<std::string> names;
    for (const UnreadPlace& place : FilesIn(Root(), {}).unread)
      names.push_back(place.path.lexically_relative(Root()).string());
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

TEST_F(Folder, LinksAreFollowedAndLoopsLeftOutAndSaid) {
  Write({"a/x.md", "b/y.md"});
  fs::create_directory_symlink(Root() / "b", Root() / "a" / "to-b");
  fs::create_symlink(Root() / "nowhere", Root() / "broken.md");
  EXPECT_THAT(Files(), ElementsAre("a/to-b/y.md", "a/x.md", "b/y.md"));
  fs::create_directory_symlink(Root() / "a", Root() / "b" / "to-a");
  EXPECT_THAT(Files(), ElementsAre("a/to-b/y.md", "a/x.md", "b/to-a/x.md", "b/y.md"));
  EXPECT_THAT(Unread(), ElementsAre("a/to-b/to-a", "b/to-a/to-b"));
  EXPECT_THAT(FilesIn(Root(), {}).unread[0].reason, testing::HasSubstr("leads back"));
  FolderOptions options;
  options.exclude = {"to-*"};
  EXPECT_THAT(Files(options), ElementsAre("a/x.md", "b/y.md"));
}

TEST_F(Folder, WhatCannotBeLookedIntoIsLeftOutAndSaid) {
  Write({"a.md", "rules/b.md", "z/c.md"});
  directory_.Write("root/rules/.gitignore", std::string((1 << 20) + 1, '\n'));
  fs::create_symlink("loop", Root() / "loop");
  std::string deep = "deep";
  for (int i = 0; i < 70; ++i) deep += "/d";
  Write({deep + "/d.md"});
  EXPECT_THAT(Files(), ElementsAre("a.md", "z/c.md"));
  const std::vector<std::string> unread = Unread();
  ASSERT_EQ(unread.size(), 3u);
  EXPECT_THAT(unread[0], testing::StartsWith("deep/d/"));
  EXPECT_EQ(unread[1], "loop");
  EXPECT_EQ(unread[2], "rules");
  ExpectError(ErrorKind::kInvalidArgument, "rules/.gitignore",
              [&] { FilesIn(Root() / "rules", {}); });
}

TEST_F(Folder, WithoutPermissionIsLeftOutAndSaid) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  Write({"a.md", "closed/b.md"});
  fs::permissions(Root() / "closed", fs::perms::none);
  EXPECT_THAT(Files(), ElementsAre("a.md"));
  EXPECT_THAT(Unread(), ElementsAre("closed"));
  fs::permissions(Root() / "closed", fs::perms::owner_all);
}

TEST_F(Folder, PatternsThatAreTooMuchWorkAreRefused) {
  Write({std::string(200, 'a') + "/" + std::string(200, 'a')});
  // A star for each of 30,000 rules, with what makes it go on to the end of the name.
  std::string rules;
  for (int i = 0; i < 30'000; ++i) rules += "*aaaaaaaaaaaaaaaa" + std::to_string(i) + "\n";
  directory_.Write("root/.gitignore", rules);
  for (int i = 0; i < 60; ++i)
    Write({"d" + std::to_string(i) + "/" + std::string(200, 'a'), std::string(100, 'b') + "/x"});
  FolderOptions options;
  EXPECT_EQ(options.pattern_steps_max, 2'000'000'000u);
  if (kIsSanitized) options.pattern_steps_max = 50'000'000;  // the whole takes a minute there
  const std::string steps = std::to_string(options.pattern_steps_max);
  ExpectError(ErrorKind::kInvalidArgument, "more than " + steps + " steps",
              [&] { Files(options); });
}

TEST_F(Folder, IgnoreFilesAboveCountInsideARepository) {
  Write({"docs/a.md", "docs/b.log"});
  directory_.Write("root/.gitignore", "*.log\n");
  const auto names = [&] {
    std::vector<std::string> found;
    for (const fs::path& file : FilesIn(Root() / "docs", {}).files)
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
  uint64_t steps = 0;
  EXPECT_FALSE(MatchesName(pattern + "b", std::string(4000, 'a'), &steps));
  EXPECT_LT(steps, 2 * pattern.size() * 4000);
  EXPECT_TRUE(MatchesName(pattern, std::string(4000, 'a'), &steps));
}

}  // namespace
}  // namespace statelib::documents
