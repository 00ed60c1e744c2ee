// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/base/error.h"

namespace statelib::cli {

namespace {

constexpr size_t kBufferBytes = 1 << 16;
constexpr int kUnlimitedColumns = 1 << 20;
constexpr int kFallbackColumns = 80;

const char* CodeOf(Colour colour) {
  switch (colour) {
    case Colour::kPlain:
      return "";
    case Colour::kBold:
      return "\x1b[1m";
    case Colour::kDim:
      return "\x1b[2m";
    case Colour::kRed:
      return "\x1b[31m";
    case Colour::kGreen:
      return "\x1b[32m";
    case Colour::kYellow:
      return "\x1b[33m";
    case Colour::kCyan:
      return "\x1b[36m";
  }
  return "";
}

}  // namespace

Output::Output(int descriptor, std::string name, const Options& options)
    : descriptor_(descriptor),
      name_(std::move(name)),
      is_terminal_(::isatty(descriptor) == 1),
      colour_(is_terminal_ && options.colour),
      columns_(options.columns) {}

Output Output::Nowhere() { return Output(); }

int Output::columns() const {
  if (columns_ > 0) return columns_;
  if (!is_terminal_) return kUnlimitedColumns;
  winsize size{};
  if (::ioctl(descriptor_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return kFallbackColumns;
}

void Output::WriteBytes(std::string_view bytes) {
  if (descriptor_ == kNowhere) return;
  buffer_.append(bytes);
  // A person at a terminal sees each line when it is ready; a pipe gets blocks.
  const bool line_ended = is_terminal_ && bytes.find('\n') != std::string_view::npos;
  if (line_ended || buffer_.size() >= kBufferBytes) Flush();
}

void Output::Flush() {
  // What a failed write leaves is dropped: a second attempt, at the end of the program, would only
  // repeat the failure.
  const std::string pending = std::exchange(buffer_, {});
  std::string_view rest = pending;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EPIPE) {
      throw OutputClosed();
    } else if (errno != EINTR) {
      Throw(ErrorKind::kIo, "writing {}: {}", name_, std::generic_category().message(errno));
    }
  }
}

Shown Output::Paint(Colour colour, std::string_view text) const {
  if (!colour_ || colour == Colour::kPlain) return Shown::Line(text);
  return Shown::Controls(CodeOf(colour)) + Shown::Line(text) + Shown::Controls("\x1b[0m");
}

}  // namespace statelib::cli
