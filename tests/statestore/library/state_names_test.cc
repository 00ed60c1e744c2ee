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
  const auto names = Names("d", {"First steps.md", "Übung/x.y/ä ö.txt", "-.md", "a@2:b.md"});
  EXPECT_THAT(names, testing::ElementsAre("d/First-steps", "d/-bung/x.y/-", "d/-", "d/a-2-b"));
}

TEST(StateNames, TwoFilesWithOneNameAreRefusedWithBoth) {
  ExpectError(ErrorKind::kInvalidArgument,
              "in/a.md and in/a.html would both become the state 'd/a'", [] {
                Names("d", {"a.md", "b.md", "a.html"});
              });
  ExpectError(ErrorKind::kInvalidArgument, "would have 202 characters",
              [] { Names("d", {std::string(200, 'x')}); });
  ExpectError(ErrorKind::kInvalidArgument, "leave out '@2'", [] { Names("d@2", {"a.md"}); });
}

}  // namespace
}  // namespace statelib::library
