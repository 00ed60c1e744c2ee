// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

#include "cli/terminal/bar.h"
#include "cli/terminal/display_width.h"
#include "cli/terminal/output.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/quantities.h"
#include "cli/terminal/table.h"
#include "core/base/error.h"
#include "core/base/printable.h"

namespace statelib::cli {
namespace {

using ::testing::HasSubstr;

/// What was printed to a pipe that an Output writes to.
class Captured {
 public:
  explicit Captured(int columns = 0)
      : ends_(MakePipe()), output(ends_[1], "a pipe", {.colour = true, .columns = columns}) {}
  ~Captured() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  std::string Text() {
    output.Flush();
    std::array<char, 4096> block{};
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    const ssize_t size = ::read(ends_[0], block.data(), block.size());
    return size > 0 ? std::string(block.data(), static_cast<size_t>(size)) : "";
  }

 private:
  static std::array<int, 2> MakePipe() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) throw std::runtime_error("cannot make a pipe");
    return ends;
  }

  std::array<int, 2> ends_;

 public:
  Output output;
};

TEST(Quantities, BytesHaveThreeDigitsAndAUnit) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(999), "999 B");
  EXPECT_EQ(HumanBytes(1500), "1.50 kB");
  EXPECT_EQ(HumanBytes(29'880'040), "29.9 MB");
  EXPECT_EQ(HumanBytes(999'499), "999 kB");
  EXPECT_EQ(HumanBytes(999'500), "1.00 MB");
  EXPECT_EQ(HumanBytes(UINT64_MAX), "18.4 EB");
}

TEST(Quantities, CountsAreGroupedByThousands) {
  EXPECT_EQ(HumanCount(0), "0");
  EXPECT_EQ(HumanCount(999), "999");
  EXPECT_EQ(HumanCount(1000), "1,000");
  EXPECT_EQ(HumanCount(1234567), "1,234,567");
  EXPECT_EQ(HumanCount(1, "token"), "1 token");
  EXPECT_EQ(HumanCount(2000, "token"), "2,000 tokens");
}

TEST(Quantities, DurationsChooseTheirUnit) {
  EXPECT_EQ(HumanDuration(0.0004), "0.4 ms");
  EXPECT_EQ(HumanDuration(0.035), "35 ms");
  EXPECT_EQ(HumanDuration(0.9996), "1.0 s");
  EXPECT_EQ(HumanDuration(59.96), "1 m 00 s");
  EXPECT_EQ(HumanDuration(185), "3 m 05 s");
  EXPECT_EQ(HumanDuration(7620), "2 h 07 m");
  EXPECT_EQ(HumanDuration(1.0 / 0.0), "?");
}

TEST(Quantities, AgesAreOneUnitAndNeverNegative) {
  EXPECT_EQ(HumanAge(-5), "now");
  EXPECT_EQ(HumanAge(59), "59 s");
  EXPECT_EQ(HumanAge(3600), "1 h");
  EXPECT_EQ(HumanAge(24 * 3600), "1 day");
  EXPECT_EQ(HumanAge(100 * 24 * 3600), "3 months");
  EXPECT_EQ(HumanAge(800 * 24 * 3600), "2 years");
}

TEST(Quantities, TimesAreUtc) {
  EXPECT_EQ(UtcTime(0), "1970-01-01 00:00:00 UTC");
  EXPECT_EQ(IsoTime(1'000'000'000), "2001-09-09T01:46:40Z");
}

TEST(DisplayWidth, CountsColumns) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("東京"), 4u);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1u);
}

TEST(DisplayWidth, ShortenedTextFits) {
  EXPECT_EQ(Shorten("handbook", 8), "handbook");
  EXPECT_EQ(Shorten("handbooks", 8), "handboo…");
  EXPECT_EQ(Shorten("東京東京", 4), "東…");
  EXPECT_EQ(Shorten("abc", 0), "");
}

TEST(Bar, FillsInEighthsOfAColumn) {
  EXPECT_EQ(Bar(0, 4), "····");
  EXPECT_EQ(Bar(1, 4), "████");
  EXPECT_EQ(Bar(0.5, 4), "██··");
  EXPECT_EQ(Bar(0.5 + 1.0 / 32, 4), "██▏·");
  EXPECT_EQ(Bar(1e-9, 4), "▏···");
  EXPECT_EQ(Bar(7, 2), "██");
  EXPECT_EQ(Bar(0.0 / 0.0, 2), "··");
}

TEST(Table, ColumnsLineUpAndTheLastIsNotPadded) {
  Captured captured;
  Table table({{"name", Align::kLeft}, {"tokens", Align::kRight}, {"age", Align::kLeft}});
  table.Add({"handbook", "1,024", "3 h"});
  table.Add({"東京", "7", "2 days"});
  table.Print(captured.output);
  EXPECT_EQ(captured.Text(),
            "name      tokens  age\n"
            "handbook   1,024  3 h\n"
            "東京           7  2 days\n");
}

TEST(Table, TextsGiveWayThoseThatMayFirst) {
  Captured captured(26);
  Table table({{"name", Align::kLeft, true}, {"id", Align::kLeft}});
  table.Add({"a-name-that-is-rather-long", "0123456789ab"});
  table.Print(captured.output);
  EXPECT_EQ(captured.Text(),
            "name          id\n"
            "a-name-that…  0123456789ab\n");
}

TEST(Table, ColumnsThatDoNotFitAreLeftOutAndMarkedAndNumbersAreNeverCut) {
  Captured captured(24);
  Table table({{"name", Align::kLeft, true}, {"tokens", Align::kRight}, {"age", Align::kLeft}});
  table.Add({"a-name-that-is-rather-long", "1,234,567", "3 h"});
  table.Add({"東京都千代田区", "7", "2 days"});
  table.Print(captured.output);
  EXPECT_EQ(captured.Text(),
            "name                   …\n"
            "a-name-that-is-rathe…  …\n"
            "東京都千代田区         …\n");
}

TEST(Table, TheFirstColumnAloneFitsAnyWidth) {
  Captured captured(5);
  Table table({{"name", Align::kLeft}, {"tokens", Align::kRight}});
  table.Add({"handbook", "1,234,567"});
  table.Print(captured.output);
  EXPECT_EQ(captured.Text(), "n…  …\nh…  …\n");
}

TEST(FactList, AValueGoesOnInItsColumn) {
  Captured captured(16);
  FactList facts;
  facts.Add("id", "0123456789abcdef");
  facts.Add("of", "two words and more");
  facts.Print(captured.output);
  EXPECT_EQ(captured.Text(),
            "id  0123456789ab\n"
            "    cdef\n"
            "of  two words\n"
            "    and more\n");
}

TEST(ProgressBar, LineSaysTokensRateAndTimeLeft) {
  const std::string line = ProgressBar::Line("reading handbook.md", "token", 2000, 8000, 4.0, 120);
  EXPECT_THAT(line, HasSubstr("reading handbook.md"));
  EXPECT_THAT(line, HasSubstr("25 %"));
  EXPECT_THAT(line, HasSubstr("2,000 of 8,000 tokens"));
  EXPECT_THAT(line, HasSubstr("500 tokens/s"));
  EXPECT_THAT(line, HasSubstr("12.0 s left"));
}

TEST(ProgressBar, LineFitsEveryWidth) {
  for (int columns = 1; columns < 140; ++columns)
    EXPECT_LT(DisplayWidth(
                  ProgressBar::Line("reading a long name", "token", 1, 90'000'000, 0.5, columns)),
              static_cast<size_t>(columns));
}

TEST(ProgressBar, DrawsNothingOnAPipe) {
  Captured captured;
  {
    ProgressBar bar(captured.output, "reading", "token");
    bar.Update(1, 2);
  }
  EXPECT_EQ(captured.Text(), "");
}

TEST(Output, NoColourOnAPipe) {
  Captured captured;
  EXPECT_EQ(captured.output.Paint(Colour::kRed, "x").text(), "x");
}

constexpr const char* kHostile = "a\x1b[2J\rb\xff\u202e\n";

TEST(Output, WhateverIsPrintedIsEscaped) {
  Captured captured;
  captured.output.Print("{}|{}|{}|{}\n", kHostile, std::string(kHostile), std::string_view("x\a"),
                        fmt::join(std::vector<std::string>{"y\x1b"}, ", "));
  EXPECT_EQ(captured.Text(),
            "a\\x1b[2J\\rb\\xff\\u202e\\n|a\\x1b[2J\\rb\\xff\\u202e\\n|x\\x07|y\\x1b\n");
}

TEST(Output, WhatIsWrittenKeepsItsLinesAndNothingElse) {
  Captured captured;
  captured.output.Write(kHostile);
  EXPECT_EQ(captured.Text(), "a\\x1b[2J\\rb\\xff\\u202e\n");
}

TEST(Output, BytesForProgramsStayAsTheyAre) {
  Captured captured;
  captured.output.WriteBytes(kHostile);
  EXPECT_EQ(captured.Text(), kHostile);
}

TEST(Shown, OnlyItsControlsAreNotEscaped) {
  EXPECT_EQ(Shown::Controls("\x1b[1m").text(), "\x1b[1m");
  EXPECT_EQ(Shown::Line("\x1b[1m\n").text(), "\\x1b[1m\\n");
  const Shown painted = Shown::Controls("\x1b[1m") + Shown::Line("\x1b");
  EXPECT_EQ(Shown::Format("{} {} {:>3}", painted, "\t", 7).text(), "\x1b[1m\\x1b \\t   7");
}

TEST(Table, CellsAreEscapedAndAsWideAsTheyAreShown) {
  Captured captured;
  Table table({{"A"}, {"B"}});
  table.Add({"\x1b[31m", "x\ny"});
  table.Print(captured.output);
  EXPECT_EQ(captured.Text(), "A         B\n\\x1b[31m  x\\ny\n");
}

TEST(FactList, ValuesAreEscaped) {
  Captured captured;
  FactList facts;
  facts.Add("name", "\x1b]0;title\a");
  facts.Print(captured.output);
  EXPECT_EQ(captured.Text(), "name  \\x1b]0;title\\x07\n");
}

TEST(Output, AFullDeviceIsAnIoError) {
  const int full = ::open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  Output output(full, "standard output", {});
  output.Write("text");
  try {
    output.Flush();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kIo);
    EXPECT_THAT(error.what(), HasSubstr("standard output"));
  }
  output.Flush();  // what could not be written is not tried again
  ::close(full);
}

}  // namespace
}  // namespace statelib::cli
