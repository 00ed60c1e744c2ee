// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/error_text.h"

#include <gtest/gtest.h>

namespace statelib::cli {
namespace {

TEST(ErrorTexts, TellNoPathOfTheMachine) {
  const std::filesystem::path library = "/srv/our states/library";
  const auto clean = [&](const std::string& message) { return WithoutPaths(message, library); };
  EXPECT_EQ(clean("/srv/our states/library/objects/ab/abcd: damaged"), "objects/ab/abcd: damaged");
  EXPECT_EQ(clean("/srv/our states/library is none"), "the library is none");
  EXPECT_EQ(clean("cannot open /etc/shadow: no"), "cannot open (a file): no");
  EXPECT_EQ(clean("'/home/me/.config/keys' \"/a/b\" (/c) path=/d:/e,/f"),
            "'(a file)' \"(a file)\" ((a file)) path=(a file):(a file),(a file)");
  EXPECT_EQ(clean("/tmp/x"), "(a file)");
}

TEST(ErrorTexts, KeepEverythingElse) {
  for (const char* message : {"there is no notes/draft:latest", "1/2 of it", "a / b", "", "/",
                              "expected 3 bytes/s, found 4"}) {
    EXPECT_EQ(WithoutPaths(message, "/srv/library"), message);
  }
}

}  // namespace
}  // namespace statelib::cli
