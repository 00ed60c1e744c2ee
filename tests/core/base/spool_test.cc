// SPDX-License-Identifier: Apache-2.0
#include "core/base/spool.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <numeric>

#include "core/base/error.h"
#include "tests/temporary_directory.h"

namespace statelib {
namespace {

// Some in memory, one more than fits there, and many.
constexpr size_t kInMemory = ByteSpool::kMemoryBytesMax / sizeof(int);
constexpr size_t kCounts[] = {0, 1, kInMemory, kInMemory + 1, 5 * kInMemory + 17};

std::vector<int> Numbers(size_t count) {
  std::vector<int> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 1);
  return numbers;
}

Spool<int> SpoolOf(const std::vector<int>& numbers, size_t step) {
  Spool<int> spool;
  for (size_t i = 0; i < numbers.size(); i += step)
    spool.Append(std::span(numbers).subspan(i, std::min(step, numbers.size() - i)));
  return spool;
}

TEST(Spool, GivesBackWhatItTookHoweverItWasTaken) {
  for (const size_t count : kCounts) {
    for (const size_t step : {size_t{1000}, size_t{100'000}}) {
      const auto numbers = Numbers(count);
      const Spool<int> spool = SpoolOf(numbers, step);
      EXPECT_EQ(spool.size(), count);
      EXPECT_EQ(spool.All().Values(), numbers);
    }
  }
}

TEST(Spool, ARunStaysWhatItWasWhenMoreIsTaken) {
  Spool<int> spool = SpoolOf(Numbers(10), 10);
  const RunOf<int> run = spool.All();
  spool.Append(Numbers(3 * kInMemory));
  EXPECT_EQ(run.Values(), Numbers(10));
}

TEST(RunOf, PartsAreWhatTheyAreInMemoryAndInAFile) {
  for (const size_t count : kCounts) {
    const auto numbers = Numbers(count);
    const RunOf<int> in_memory = numbers, spooled = SpoolOf(numbers, 999).All();
    for (const uint64_t from : {uint64_t{0}, uint64_t{3}, uint64_t{kInMemory}, uint64_t{1} << 40}) {
      for (const uint64_t length :
           {uint64_t{0}, uint64_t{2}, uint64_t{kInMemory + 5}, UINT64_MAX}) {
        const auto expected = in_memory.Part(from, length).Values();
        EXPECT_EQ(expected.size(), std::min<uint64_t>(length, count - std::min(from, count)));
        EXPECT_EQ(spooled.Part(from, length).Values(), expected);
        EXPECT_EQ(spooled.Part(1).Part(from, length).Values(),
                  in_memory.Part(1).Part(from, length).Values());
      }
      EXPECT_EQ(spooled.Last(from).Values(), in_memory.Last(from).Values());
      EXPECT_EQ(spooled.First(from).Values(), in_memory.First(from).Values());
    }
  }
}

TEST(RunOf, PiecesOfASpoolAreShort) {
  SpoolOf(Numbers(5 * kInMemory), 5 * kInMemory).All().ForEach([](std::span<const int> piece) {
    EXPECT_LE(piece.size(), RunOf<int>::kPieceMax);
    EXPECT_FALSE(piece.empty());
  });
}

TEST(Text, IsItsOwn) {
  std::string given = "some text";
  const Text text(given);
  given = "other text";
  const std::vector<char> values = text.Values();
  EXPECT_EQ(std::string(values.begin(), values.end()), "some text");
  EXPECT_TRUE(Text().empty());
}

TEST(Spool, SaysWhereItCannotWrite) {
  const TemporaryDirectory folder;
  const std::string missing = (folder.path() / "missing").string();
  const char* const before = ::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "/tmp" : before;
  ::setenv("TMPDIR", missing.c_str(), 1);
  Spool<int> spool;
  std::string said;
  try {
    spool.Append(Numbers(2 * kInMemory));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kIo);
    said = error.what();
  }
  ::setenv("TMPDIR", kept.c_str(), 1);
  EXPECT_EQ(said, "making a temporary file in " + missing +
                      ": No such file or directory; set TMPDIR to a folder with more room and run "
                      "the command again, nothing was changed");
}

}  // namespace
}  // namespace statelib
