// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CLI_LIBRARY_FIXTURE_H_
#define STATELIB_TESTS_CLI_LIBRARY_FIXTURE_H_

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/process.h"
#include "tests/temporary_directory.h"

namespace statelib::cli {

using Arguments = std::vector<std::string>;

/// Runs the program on a library of its own in a temporary folder.
class LibraryTest : public testing::Test {
 protected:
  ProcessResult Run(const Arguments& arguments, ProcessOptions options = {}) {
    options.environment.emplace("STATELIB_HOME", Library());
    options.environment.emplace("XDG_CONFIG_HOME", Path("config"));
    return RunStatelib(arguments, options);
  }

  /// The JSON document that a command prints; the command must succeed.
  nlohmann::json Facts(Arguments arguments, const ProcessOptions& options = {}) {
    arguments.push_back("--json");
    const ProcessResult result = Run(arguments, options);
    EXPECT_EQ(result.exit_code, 0) << testing::PrintToString(arguments) << result.err;
    if (result.exit_code != 0) return nullptr;
    EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 1) << result.out;
    return nlohmann::json::parse(result.out);
  }

  /// Expects one line on standard error, nothing on standard output, and this exit code. Returns
  /// the line.
  std::string ExpectFailure(const Arguments& arguments, int exit_code,
                            const ProcessOptions& options = {}) {
    const ProcessResult result = Run(arguments, options);
    const std::string what = testing::PrintToString(arguments) + " " + result.err;
    EXPECT_EQ(result.exit_code, exit_code) << what;
    EXPECT_EQ(result.signal, 0) << what;
    EXPECT_EQ(result.out, "") << what;
    // What a long wait was for comes before it.
    std::string line = result.err;
    while (line.starts_with("waiting for ")) line.erase(0, line.find('\n') + 1);
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << what;
    EXPECT_TRUE(line.starts_with("statelib: ")) << what;
    return line;
  }

  void ExpectSound() { EXPECT_EQ(Facts({"verify"})["sound"], true); }

  /// "name:tag" of everything listed.
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    const nlohmann::json facts = Facts({"list"});
    for (const auto& state : facts["states"])
      names.push_back(state["name"].get<std::string>() + ":" + state["tag"].get<std::string>());
    return names;
  }

  std::string Library() const { return (directory_.path() / "library").string(); }
  std::string Path(const std::string& name) const { return (directory_.path() / name).string(); }
  std::string Write(const std::string& name, std::string_view content) const {
    return directory_.Write(name, content).string();
  }
  static std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
  }

  const TemporaryDirectory directory_;
};

}  // namespace statelib::cli

#endif  // STATELIB_TESTS_CLI_LIBRARY_FIXTURE_H_
