// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/forget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "statestore/library/history.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::library {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kDayMs = int64_t{24} * 3600 * 1000;

// ------------------------------------------------------------------------ which versions go

/// Versions from 1 on, made on these days, each of a state of its own; the last one is current.
std::vector<storage::VersionRow> MadeOn(const std::vector<int64_t>& days) {
  std::vector<storage::VersionRow> versions;
  for (const int64_t day : days) {
    storage::VersionRow version;
    version.number = versions.size() + 1;
    version.state = HashOf(AsBytes(std::to_string(version.number)));
    version.created_at_ms = day * kDayMs + static_cast<int64_t>(version.number);
    versions.push_back(version);
  }
  versions.back().current = true;
  return versions;
}

TEST(VersionsToForget, TheNewestStayAndOfEachDayTheNewest) {
  const auto versions = MadeOn({1, 1, 2, 2, 2, 5});
  EXPECT_THAT(VersionsToForget(versions, {}, {.keep_last = 1}), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(VersionsToForget(versions, {}, {.keep_last = 3}), ElementsAre(1, 2, 3));
  EXPECT_THAT(VersionsToForget(versions, {}, {.keep_last = 100}), IsEmpty());
  EXPECT_THAT(VersionsToForget(versions, {}, {.keep_daily = 1}), ElementsAre(1, 2, 3, 4, 5));
  // Days without a version count for nothing.
  EXPECT_THAT(VersionsToForget(versions, {}, {.keep_daily = 2}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(VersionsToForget(versions, {}, {.keep_daily = 3}), ElementsAre(1, 3, 4));
  EXPECT_THAT(VersionsToForget(versions, {}, {.keep_last = 2, .keep_daily = 3}),
              ElementsAre(1, 3, 4));
}

TEST(VersionsToForget, TheCurrentTheNewestAndTaggedOnesAlwaysStay) {
  auto versions = MadeOn({1, 2, 3, 4, 5});
  versions[4].current = false;
  versions[1].current = true;
  EXPECT_THAT(VersionsToForget(versions, {versions[2].state}, {.keep_last = 1}), ElementsAre(1, 4));
}

TEST(VersionsToForget, DaysBefore1970AreDaysToo) {
  EXPECT_THAT(VersionsToForget(MadeOn({-2, -1, 0}), {}, {.keep_daily = 2}), ElementsAre(1));
  auto versions = MadeOn({-1, 0});
  versions[0].created_at_ms = -1;
  versions[1].created_at_ms = 1;
  EXPECT_THAT(VersionsToForget(versions, {}, {.keep_daily = 2}), IsEmpty());
}

// ------------------------------------------------------------------------ in a library

class Forgetting : public testing::Test {
 protected:
  Forgetting() {
    for (unsigned i = 1; i <= 4; ++i)
      storage::PublishSample(library_.repository(), "a", 4 + i, i, 1000 * i);
  }
  std::vector<uint64_t> Numbers(const std::string& name = "a") {
    std::vector<uint64_t> numbers;
    for (const auto& version : library_.repository().index().references().Versions(name, "latest"))
      numbers.push_back(version.number);
    return numbers;
  }
  ForgottenVersions ForgetAllBut(uint64_t last, bool dry_run = false) {
    return Forget(library_, storage::Reference::Parse("a"), {.keep_last = last}, dry_run);
  }

  TemporaryDirectory folder_;
  Library library_ = Library::Open(folder_.path() / "library", Library::Access::kCreate);
};

TEST_F(Forgetting, TakesTheVersionsAndSaysWhatGcThenFrees) {
  const auto first = library_.Resolve("a@1").state.id, second = library_.Resolve("a@2").state.id;
  const ForgottenVersions forecast = ForgetAllBut(2, true);
  EXPECT_THAT(Numbers(), ElementsAre(1, 2, 3, 4));
  const ForgottenVersions done = ForgetAllBut(2);
  EXPECT_THAT(Numbers(), ElementsAre(3, 4));
  EXPECT_EQ(done.kept, 2u);
  ASSERT_EQ(done.forgotten.size(), 2u);
  EXPECT_EQ(done.forgotten[0].state, first);
  EXPECT_THAT(done.freed_states, testing::UnorderedElementsAre(first, second));
  EXPECT_EQ(done.freed_bytes, forecast.freed_bytes);
  EXPECT_EQ(done.freed_objects, forecast.freed_objects);
  const auto report = storage::CollectGarbage(library_.repository(), {.now_ms = int64_t{1} << 42});
  EXPECT_EQ(report.objects, done.freed_objects);
  EXPECT_EQ(report.object_bytes, done.freed_bytes);
  storage::ExpectClean(library_.repository());
}

TEST_F(Forgetting, ANewVersionNeverGetsAForgottenNumber) {
  ForgetAllBut(1);
  EXPECT_EQ(storage::PublishSample(library_.repository(), "a", 5, 9).version, 5u);
}

TEST_F(Forgetting, WhatATagStandsForStays) {
  Copy(library_, "a@2", storage::Reference::Parse("a:reviewed"));
  ForgetAllBut(1);
  EXPECT_THAT(Numbers(), ElementsAre(2, 4));
}

TEST_F(Forgetting, UndoGoesToTheVersionsThatAreLeft) {
  Checkout(library_, "a@2");
  Checkout(library_, "a@4");
  ForgetAllBut(3);
  EXPECT_THAT(Numbers(), ElementsAre(2, 3, 4));
  EXPECT_EQ(Undo(library_, storage::Reference::Parse("a")).now.version, 2u);
  EXPECT_EQ(Undo(library_, storage::Reference::Parse("a")).now.version, 4u);
  storage::ExpectClean(library_.repository());
}

TEST_F(Forgetting, TheCurrentVersionStaysThoughItIsOld) {
  Checkout(library_, "a@1");
  ForgetAllBut(1);
  EXPECT_THAT(Numbers(), ElementsAre(1, 4));
  EXPECT_EQ(library_.Resolve("a").reference->version, 1u);
  storage::ExpectClean(library_.repository());
}

TEST_F(Forgetting, RefusesWhatMakesNoSense) {
  ExpectError(ErrorKind::kInvalidArgument, "--keep-last N",
              [&] { Forget(library_, storage::Reference::Parse("a"), {}, false); });
  ExpectError(ErrorKind::kInvalidArgument, "leave out '@2'",
              [&] { Forget(library_, storage::Reference::Parse("a@2"), {.keep_last = 1}, false); });
  ExpectError(ErrorKind::kNotFound, "aa",
              [&] { Forget(library_, storage::Reference::Parse("aa"), {.keep_last = 1}, false); });
  EXPECT_THAT(Numbers(), ElementsAre(1, 2, 3, 4));
}

}  // namespace
}  // namespace statelib::library
