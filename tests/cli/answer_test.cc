// SPDX-License-Identifier: Apache-2.0
#include "cli/generation_report.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <array>

namespace statelib::cli {
namespace {

/// All that comes until the other end is closed, which a terminal says as an error.
std::string ReadAll(int descriptor) {
  std::array<char, 4096> block{};
  std::string text;
  for (ssize_t size = 0; (size = ::read(descriptor, block.data(), block.size())) > 0;)
    text.append(block.data(), static_cast<size_t>(size));
  return text;
}

// Streams an answer to a descriptor and returns what comes out at the other end.
std::string Streamed(int to, int from, std::string_view answer,
                     AnswerStream::Form form = AnswerStream::Form::kText) {
  Output out(to, "output", {});
  const Environment environment;
  const CancelFlag cancel;
  const SharedOptions options;
  const CLI::App root;
  Notes notes(out);
  const Settings settings;
  const Context context{out, out, out, notes, environment, settings, cancel, options, root, {}};
  AnswerStream stream(context, form);
  stream.Write(answer);
  stream.End();
  ::close(to);
  std::string text = ReadAll(from);
  ::close(from);
  return text;
}

TEST(AnswerStream, ControlCharactersReachNoTerminal) {
  int terminal = -1;
  int program = -1;
  ASSERT_EQ(::openpty(&terminal, &program, nullptr, nullptr, nullptr), 0);
  EXPECT_EQ(Streamed(program, terminal, "a\x1b]0;title\x07 b\tc"), "a\\x1b]0;title\\x07 b\tc\r\n");
}

TEST(AnswerStream, APipeGetsEveryByte) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  EXPECT_EQ(Streamed(ends[1], ends[0], "a\x1b]0;title\x07 b\tc"), "a\x1b]0;title\x07 b\tc\n");
}

TEST(AnswerStream, PiecesAreJsonALineEach) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  EXPECT_EQ(Streamed(ends[1], ends[0], "a\x1b \"b\n", AnswerStream::Form::kPieces),
            "{\"piece\":\"a\\u001b \\\"b\\n\"}\n\n");
}

}  // namespace
}  // namespace statelib::cli
