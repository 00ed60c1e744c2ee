// SPDX-License-Identifier: Apache-2.0
// Every table that a command prints, on terminals of several widths.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/terminal/display_width.h"
#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

using ::testing::HasSubstr;

class Narrow : public LibraryTest {
 protected:
  // Long names, and names of characters of two columns.
  void SetUp() override {
    const std::string document =
        Write("a-document-with-a-long-name-of-its-own.md", "The roof leaks.\n");
    const std::string more = Write("文書の名前がとても長いので困ります.md", "The gate is red.\n");
    Facts({"ingest", kLong, document, "--checkpoint-every", "2"});
    Facts({"append", kLong, more});
    Facts({"ingest", std::string(kWide) + ":reviewed-by-everybody", document, more});
    std::filesystem::create_directory(Path("share"));
    Facts({"remote", "add", "the-remote-of-our-office", Path("share")});
    Facts({"push", "the-remote-of-our-office", kLong, "--no-sign"});
    Facts({"key", "create", "a-key-with-a-long-name"});
  }

  std::vector<std::string> Lines(const Arguments& arguments, int columns) {
    ProcessOptions options;
    options.environment["COLUMNS"] = std::to_string(columns);
    const ProcessResult result = Run(arguments, options);
    EXPECT_LE(result.exit_code, 1) << result.err;
    std::vector<std::string> lines;
    std::istringstream text(result.out);
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

  static constexpr const char* kLong = "minutes/of-the-meeting-in-november";
  static constexpr const char* kWide = "文書/手引きの第一章と第二章";
};

TEST_F(Narrow, EveryTableFitsTheTerminal) {
  const std::vector<Arguments> listings = {
      {"list"},
      {"log", kLong},
      {"show", kLong, "--segments"},
      {"show", kWide + std::string(":reviewed-by-everybody")},
      {"ls-remote", "the-remote-of-our-office"},
      {"remote", "list"},
      {"key", "list"},
      {"model", "list"},
      {"model", "show", "demo"},
      {"checkpoint", "list"},
      {"config", "list"},
  };
  for (const Arguments& arguments : listings) {
    size_t lines_before = 0;
    for (const int columns : {200, 80, 40}) {
      const std::vector<std::string> lines = Lines(arguments, columns);
      EXPECT_GE(lines.size(), std::max<size_t>(lines_before, 1)) << "a row is lost";
      lines_before = lines.size();
      for (const std::string& line : lines)
        EXPECT_LE(DisplayWidth(line), static_cast<size_t>(columns))
            << testing::PrintToString(arguments) << "\n"
            << line;
    }
  }
}

TEST_F(Narrow, TheTableOfADifferenceFitsToo) {
  for (const int columns : {200, 80, 40}) {
    const std::vector<std::string> lines =
        Lines({"diff", std::string(kLong) + "@1", kLong}, columns);
    for (const std::string& line : lines)
      if (line.find("  ") != std::string::npos)
        EXPECT_LE(DisplayWidth(line), static_cast<size_t>(columns)) << line;
  }
}

TEST_F(Narrow, NamesStayRecognisableAndWhatIsLeftOutIsMarked) {
  const std::vector<std::string> lines = Lines({"list"}, 40);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines[1], testing::StartsWith("minutes/of-…"));
  EXPECT_THAT(lines[2], testing::StartsWith("文書/手引"));
  for (const std::string& line : lines) EXPECT_THAT(line, testing::EndsWith("…"));
  const std::vector<std::string> wide = Lines({"list"}, 200);
  EXPECT_THAT(wide[1], HasSubstr(kLong));
  EXPECT_THAT(wide[2], HasSubstr(kWide));
  for (const std::string& line : wide) EXPECT_THAT(line, testing::Not(HasSubstr("…")));
}

}  // namespace
}  // namespace statelib::cli
