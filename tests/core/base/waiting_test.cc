// SPDX-License-Identifier: Apache-2.0
#include "core/base/waiting.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/base/error.h"

namespace statelib {
namespace {

using std::chrono::milliseconds;

TEST(Waiting, EndsWithItsTimeAndSaysForWhat) {
  Waits waits;
  waits.timeout = milliseconds(30);
  Wait wait(waits, milliseconds(600'000), "the door");
  try {
    while (true) wait.Sleep(milliseconds(1000));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBusy);
    EXPECT_NE(std::string(error.what()).find("waited 0.03 s for the door; "), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("--timeout"), std::string::npos);
  }
  EXPECT_TRUE(wait.over());
}

TEST(Waiting, TakesTheOtherTimeWhereNoneIsNamed) {
  EXPECT_EQ(Wait({}, milliseconds(7), "it").timeout(), milliseconds(7));
}

TEST(Waiting, OfNoTimeIsOverAtOnce) {
  Waits waits;
  waits.timeout = milliseconds(0);
  EXPECT_THROW(Wait(waits, kLockTimeout, "it").Check(), Error);
}

TEST(Waiting, IsToldOnceUntilItBeginsAnew) {
  std::vector<std::string> told;
  Waits waits;
  waits.on_wait = [&](const std::string& what) { told.push_back(what); };
  Wait wait(waits, kLockTimeout, "the door");
  wait.Check();
  EXPECT_TRUE(told.empty());
  while (told.empty()) wait.Sleep(milliseconds(100));
  for (int i = 0; i < 5; ++i) wait.Check();
  EXPECT_EQ(told, std::vector<std::string>{"the door"});
  wait.Begin();
  wait.Check();
  EXPECT_EQ(told.size(), 1u);
}

TEST(Waiting, EndsWhenItIsCancelled) {
  CancelFlag cancel;
  Waits waits(&cancel);
  waits.on_wait = [&](const std::string&) { cancel.Cancel(); };
  Wait wait(waits, kLockTimeout, "the door");
  try {
    while (true) wait.Sleep(milliseconds(100));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCancelled);
  }
}

}  // namespace
}  // namespace statelib
