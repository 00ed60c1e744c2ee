// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/state_names.h"

#include <gmock/gmock.h>

#include "tests/statestore/expect_error.h"

namespace statelib::library {
namespace {

std::vector<std::string> Names(const std::string& prefix, const std::vector<std::string>& paths) {
  std::vector<FileToName> files;
  for (const std::string& path : paths) files.push_back({path, "in/" + path});
  std::vector<std::string> names;
  for (const auto& name : NamesForFiles(storage::Reference::Parse(prefix), files))
    names.push_back(name.Text());
  return names;
}

TEST(StateNames, AreThePrefixAndThePathWithoutItsExtension) {
  EXPECT_THAT(Names("docs", {"a.md", "guide/b.tar.gz", "LICENSE", ".hidden"}),
              testing::ElementsAre("docs/a", "docs/guide/b.tar", "docs/LICENSE", "docs/.hidden"));
  EXPECT_THAT(Names("docs:draft", {"a.md"}), testing::ElementsAre("docs/a:draft"));
}

TEST(StateNames, EveryPathGivesANameThatIsAllowed) {
  std::vector<std::string> names =
      Names("d", {"First steps.md", "-.md", "a@2:b.md", "!!!/x.md", "a\u200bb.md"});
  names.push_back(Names("d", {"\xff\xfe.md"}).front());
  EXPECT_THAT(names,
              testing::ElementsAre("d/First-steps", "d/-", "d/a-2-b", "d/-/x", "d/a-b", "d/-"));
  for (const std::string& name : names) EXPECT_EQ(storage::Reference::Parse(name).Text(), name);
}

TEST(StateNames, KeepLettersAndDigitsOfEveryScript) {
  const std::vector<std::string> names =
      Names("d", {"Übung/x.y/ä ö.txt", "отчёт.md", "報告 2024.md", "보고서.md", "हिन्दी.md",
                  "دليل.md", "٣٤.md", "e\u0301.md"});
  EXPECT_THAT(names, testing::ElementsAre("d/Übung/x.y/ä-ö", "d/отчёт", "d/報告-2024", "d/보고서",
                                          "d/हिन्दी", "d/دليل", "d/٣٤", "d/\u00e9"));
  for (const std::string& name : names) EXPECT_EQ(storage::Reference::Parse(name).Text(), name);
}

TEST(StateNames, FilesOfOneNameKeepTheirExtensions) {
  EXPECT_THAT(Names("d", {"a.md", "b.md", "a.html"}),
              testing::ElementsAre("d/a.md", "d/b", "d/a.html"));
  // Another file's name may be what the first one's becomes.
  EXPECT_THAT(Names("d", {"a.md", "a.html", "a.md.txt"}),
              testing::ElementsAre("d/a.md", "d/a.html", "d/a.md.txt"));
  EXPECT_THAT(Names("d", {"LICENSE", "LICENSE.txt"}),
              testing::ElementsAre("d/LICENSE", "d/LICENSE.txt"));
}

TEST(StateNames, FilesThatDifferInWhatNamesDoNotHaveGetASuffixOfTheirOwn) {
  const auto names = Names("d", {"a b.md", "a-b.md", "a  b.md", "c.md"});
  EXPECT_THAT(names, testing::ElementsAre(testing::MatchesRegex("d/a-b.md-[0-9a-f]{6}"),
                                          testing::MatchesRegex("d/a-b.md-[0-9a-f]{6}"),
                                          testing::MatchesRegex("d/a-b.md-[0-9a-f]{6}"), "d/c"));
  EXPECT_NE(names[0], names[1]);
  EXPECT_NE(names[0], names[2]);
  EXPECT_NE(names[1], names[2]);
  // Order and number of the others do not matter.
  const auto turned = Names("d", {"a-b.md", "a b.md"});
  EXPECT_EQ(turned[0], names[1]);
  EXPECT_EQ(turned[1], names[0]);
}

TEST(StateNames, OnePlaceInTwoFoldersIsToldApartByThePathsGiven) {
  const std::vector<FileToName> files = {{"a.md", "x/a.md"}, {"a.md", "y/a.md"}};
  const auto names = NamesForFiles(storage::Reference::Parse("d"), files);
  EXPECT_NE(names[0].name, names[1].name);
  EXPECT_THAT(names[0].name, testing::MatchesRegex("d/a.md-[0-9a-f]{6}"));
}

TEST(StateNames, TheSameFileTwiceAndNamesThatAreTooLongAreRefused) {
  ExpectError(ErrorKind::kInvalidArgument, "in/a.md: this file is there twice", [] {
    Names("d", {"a.md", "b.md", "a.md"});
  });
  ExpectError(ErrorKind::kInvalidArgument, "would have 202 bytes",
              [] { Names("d", {std::string(200, 'x')}); });
  ExpectError(ErrorKind::kInvalidArgument, "leave out '@2'", [] { Names("d@2", {"a.md"}); });
}

}  // namespace
}  // namespace statelib::library
