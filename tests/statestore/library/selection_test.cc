// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "statestore/library/exchange.h"
#include "statestore/library/organise.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::library {
namespace {

using ::testing::ElementsAre;

class Selecting : public testing::Test {
 protected:
  Selecting() {
    for (const char* name : {"a", "a:draft", "b", "b:done"})
      storage::PublishSample(library_.repository(), name);
  }
  std::vector<std::string> Found(const std::vector<std::string>& texts, Tags tags = Tags::kEvery) {
    std::vector<std::string> names;
    for (const storage::Reference& reference : Select(library_, texts, tags))
      names.push_back(reference.Text());
    return names;
  }

  TemporaryDirectory folder_;
  Library library_ = Library::Open(folder_.path() / "library", Library::Access::kCreate);
};

TEST_F(Selecting, APatternIsWhatListShowsForItAndANameItself) {
  EXPECT_THAT(Found({"*"}), ElementsAre("a:draft", "a", "b:done", "b"));
  EXPECT_THAT(Found({"a*"}), ElementsAre("a:draft", "a"));
  EXPECT_THAT(Found({"a:*"}), ElementsAre("a:draft", "a"));
  EXPECT_THAT(Found({"*:d*"}), ElementsAre("a:draft", "b:done"));
  EXPECT_THAT(Found({"[ab]:latest"}), ElementsAre("a", "b"));
  EXPECT_THAT(Found({"*"}, Tags::kLatest), ElementsAre("a", "b"));
  EXPECT_THAT(Found({"a", "none"}), ElementsAre("a", "none"));
}

TEST_F(Selecting, EachIsFoundOnce) {
  EXPECT_THAT(Found({"b", "*:latest", "b"}), ElementsAre("b", "a"));
}

TEST_F(Selecting, APatternThatNothingFitsIsAnError) {
  ExpectError(ErrorKind::kNotFound, "a name like c*", [&] { Found({"a", "c*"}); });
}

TEST_F(Selecting, AnExportTakesPatterns) {
  Selection selection;
  selection.names = {"a", "b:*"};
  std::vector<std::string> names;
  for (const storage::ResolvedState& state : ResolveAll(library_, selection))
    names.push_back(state.reference->Text());
  EXPECT_THAT(names, ElementsAre("a@1", "b:done@1", "b@1"));
}

TEST_F(Selecting, ATagIsSetOnAllOrNone) {
  const auto tagged = SetTag(library_, {"*"}, "reviewed");
  ASSERT_EQ(tagged.size(), 2u);
  EXPECT_EQ(tagged[0].from.Text(), "a@1");
  EXPECT_EQ(tagged[1].saved.reference.Text(), "b:reviewed@1");
  EXPECT_THAT(Found({"*:reviewed"}), ElementsAre("a:reviewed", "b:reviewed"));
  ExpectError(ErrorKind::kInvalidArgument, "cannot both be a:final", [&] {
    SetTag(library_, {"b", "a:*"}, "final");
  });
  ExpectError(ErrorKind::kNotFound, "none", [&] { SetTag(library_, {"a", "none"}, "final"); });
  ExpectError(ErrorKind::kNotFound, "*:final", [&] { Found({"*:final"}); });
}

}  // namespace
}  // namespace statelib::library
