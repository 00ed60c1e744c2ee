// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class OddPaths : public LibraryTest {
 protected:
  void SetUp() override {
    Facts({"ingest", "roof", Write("roof.md", "The roof is red.\n")});
    std::filesystem::create_symlink("loop", Path("loop"));
  }

  /// One line, and an exit code that says what is wrong outside of the program.
  void ExpectOneLine(const Arguments& command) {
    const ProcessResult result = Run(command);
    const std::string what = testing::PrintToString(command) + " " + result.err;
    EXPECT_GE(result.exit_code, 2) << what;
    EXPECT_LE(result.exit_code, 8) << what;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << what;
    EXPECT_THAT(result.err, Not(HasSubstr("bug in statelib"))) << what;
  }
};

TEST_F(OddPaths, ALoopOfLinksAndAnEmptyPathAreOneLineInEveryCommand) {
  for (const std::string& path : {Path("loop"), Path("loop/below"), std::string()}) {
    for (const Arguments& command : std::vector<Arguments>{{"ingest", "x", path},
                                                           {"import", path},
                                                           {"model", "add", path, "--name", "x"},
                                                           {"model", "show", path},
                                                           {"model", "convert", path, Path("out")},
                                                           {"build", path},
                                                           {"key", "trust", path},
                                                           {"ls-remote", path},
                                                           {"push", "roof", path},
                                                           {"pull", path},
                                                           {"export", "roof", "-o", path},
                                                           {"tokenize", path}}) {
      ExpectOneLine(command);
    }
  }
}

TEST_F(OddPaths, ALibraryOrARemoteInALoopOfLinksSaysSo) {
  for (const char* const command : {"list", "verify", "gc", "repair", "init"}) {
    EXPECT_THAT(ExpectFailure({command, "--library", Path("loop")}, 7),
                HasSubstr("leads back to itself"));
  }
  EXPECT_THAT(ExpectFailure({"remote", "add", "round", Path("loop")}, 7),
              HasSubstr("leads back to itself"));
}

}  // namespace
}  // namespace statelib::cli
