// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_TERMINAL_OUTPUT_H_
#define STATELIB_CLI_TERMINAL_OUTPUT_H_

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "cli/terminal/shown.h"

namespace statelib::cli {

/// The reader of a pipe has gone (`statelib list | head`). Not an Error: there is nobody to tell.
class OutputClosed : public std::exception {
 public:
  const char* what() const noexcept override { return "the reader of the output has gone"; }
};

enum class Colour { kPlain, kBold, kDim, kRed, kGreen, kYellow, kCyan };

/// Standard output or standard error: buffered writes that report every failure, and what the
/// device can show. One thread.
class Output {
 public:
  struct Options {
    bool colour = false;  ///< colour when it is a terminal
    int columns = 0;      ///< width to assume; 0 asks the terminal
  };

  /// Writes to a file descriptor that outlives this object. `name` is for messages.
  Output(int descriptor, std::string name, const Options& options);
  /// One that drops all that is written to it, and is no terminal.
  static Output Nowhere();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  /// Colours from now on, or none, whatever the output is.
  void ShowColours(bool colour) { colour_ = colour; }

  bool is_terminal() const { return is_terminal_; }
  /// The width to lay text out in: the terminal's, or a large number where lines are never cut.
  int columns() const;

  /// Text for people, from any source: what could move the cursor, change colours or hide
  /// something is escaped (shown.h). Errors: OutputClosed; kIo with the system's reason.
  void Write(const Shown& text) { WriteBytes(text.text()); }
  void Write(std::string_view text) { Write(Shown::Lines(text)); }
  template <typename... Args>
  void Print(fmt::format_string<Args...> format, Args&&... args) {
    Write(Shown::Format(format, std::forward<Args>(args)...));
  }
  /// Bytes for programs, as they are: JSON, the text of an answer. Errors: as Write().
  void WriteBytes(std::string_view bytes);
  /// Hands everything written so far to the operating system. Errors as Write().
  void Flush();

  /// The text in a colour where colours are shown, else as it is.
  Shown Paint(Colour colour, std::string_view text) const;

 private:
  static constexpr int kNowhere = -1;

  Output() = default;

  int descriptor_ = kNowhere;
  std::string name_;
  bool is_terminal_ = false;
  bool colour_ = false;
  int columns_ = 0;
  std::string buffer_;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_TERMINAL_OUTPUT_H_
