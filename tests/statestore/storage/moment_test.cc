// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/moment.h"

#include <gtest/gtest.h>

#include "tests/statestore/expect_error.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

constexpr int64_t kHour = 3'600'000;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kNow = 1'800'000'000'000;

TEST(Moment, IsRelativeToNow) {
  EXPECT_EQ(ParseMoment("now", kNow), kNow);
  EXPECT_EQ(ParseMoment("yesterday", kNow), kNow - kDay);
  EXPECT_EQ(ParseMoment("2 hours ago", kNow), kNow - 2 * kHour);
  EXPECT_EQ(ParseMoment("1 second ago", kNow), kNow - 1000);
  EXPECT_EQ(ParseMoment("3 weeks ago", kNow), kNow - 21 * kDay);
  EXPECT_EQ(ParseMoment("1 month ago", kNow), kNow - 30 * kDay);
}

TEST(Moment, IsADateOrADateAndATimeInUtc) {
  EXPECT_EQ(ParseMoment("1970-01-02", kNow), 2 * kDay - 1);
  EXPECT_EQ(ParseMoment("1970-01-02 03:04", kNow), kDay + 3 * kHour + 4 * 60'000);
  EXPECT_EQ(ParseMoment("1970-01-02T03:04:05Z", kNow), kDay + 3 * kHour + 4 * 60'000 + 5000);
  EXPECT_EQ(MomentText(ParseMoment("2024-02-29 23:59:58", kNow)), "2024-02-29 23:59:58 UTC");
}

TEST(Moment, AnythingElseIsRefusedWithTheForms) {
  for (const char* text : {"", "tomorrow", "2 hours", "hours ago", "-2 hours ago", "2023-02-29",
                           "2024-13-01", "2024-1", "2024-01-01 24:00", "2024-01-01 10",
                           "1e3 days ago", "99999999 years ago", "2024-01-01 10:00:00 x"}) {
    ExpectError(ErrorKind::kInvalidArgument, "'2 hours ago'", [&] { ParseMoment(text, kNow); });
  }
}

TEST(Moment, NamesTheVersionThatWasCurrentThen) {
  TemporaryDirectory folder;
  Repository repository = Repository::Open(folder.path() / "library", Repository::Access::kCreate);
  PublishSample(repository, "a", 5, 1, kNow);
  PublishSample(repository, "a", 6, 2, kNow + kDay);
  EXPECT_EQ(repository.Resolve("a@{yesterday}", kNow + kDay + kHour).reference->version, 1u);
  EXPECT_EQ(repository.Resolve("a:latest@{10 minutes ago}", kNow + kDay + kHour).reference->version,
            2u);
  ExpectError(ErrorKind::kNotFound, "there was no a at",
              [&] { repository.Resolve("a@{1 year ago}", kNow); });
  ExpectError(ErrorKind::kNotFound, "there is no state named b",
              [&] { repository.Resolve("b@{yesterday}", kNow); });
  ExpectError(ErrorKind::kInvalidArgument, "expected a point in time",
              [&] { repository.Resolve("a@{soon}", kNow); });
  ExpectError(ErrorKind::kInvalidArgument, "", [&] { repository.Resolve("a@{now", kNow); });
}

}  // namespace
}  // namespace statelib::storage
