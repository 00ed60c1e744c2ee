// SPDX-License-Identifier: Apache-2.0
#include "cli/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "cli/terminal/quantities.h"
#include "core/base/error.h"
#include "core/base/utf8.h"

namespace statelib::cli {

namespace {

constexpr size_t kBlockBytes = 1 << 16;

[[noreturn]] void ThrowTooLong(const std::string& what, size_t bytes_max) {
  Throw(ErrorKind::kInvalidArgument, "{} is longer than {}, the most that is read; split it", what,
        HumanBytes(bytes_max));
}

}  // namespace

Input Input::Open(const std::string& path, const CancelFlag& cancel) {
  if (path == "-") return {STDIN_FILENO, "standard input", cancel};
  int descriptor = -1;
  // A pipe is waited for until somebody writes into it.
  do {
    cancel.Check();
    descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) ThrowErrno("opening", path, errno);
  Input input(descriptor, path, cancel);
  struct stat facts = {};
  if (::fstat(descriptor, &facts) != 0) ThrowErrno("opening", path, errno);
  if (S_ISDIR(facts.st_mode))
    Throw(ErrorKind::kInvalidArgument, "{} is a folder; name the files in it", path);
  return input;
}

Input::Input(Input&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, STDIN_FILENO)),
      name_(std::move(other.name_)),
      cancel_(other.cancel_),
      buffer_(std::move(other.buffer_)),
      begin_(other.begin_) {}

Input& Input::operator=(Input&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(name_, other.name_);
  std::swap(cancel_, other.cancel_);
  std::swap(buffer_, other.buffer_);
  std::swap(begin_, other.begin_);
  return *this;
}

Input::~Input() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

bool Input::Fill() {
  buffer_.erase(0, std::exchange(begin_, 0));
  const size_t kept = buffer_.size();
  buffer_.resize(kept + kBlockBytes);
  ssize_t size = 0;
  do {
    cancel_->Check();
    size = ::read(descriptor_, buffer_.data() + kept, kBlockBytes);
  } while (size < 0 && errno == EINTR);
  const int error = errno;
  buffer_.resize(kept + static_cast<size_t>(std::max<ssize_t>(size, 0)));
  if (size < 0) ThrowErrno("reading", name_, error);
  return size > 0;
}

void Input::ForEachPiece(size_t bytes_max, const std::function<void(std::string_view)>& visit) {
  size_t read = 0;
  do {
    const std::string_view piece = std::string_view(buffer_).substr(begin_);
    read += piece.size();
    if (read > bytes_max) ThrowTooLong(name_, bytes_max);
    if (!piece.empty()) visit(piece);
    begin_ = buffer_.size();
  } while (Fill());
}

std::string Input::ReadAll(size_t bytes_max) {
  std::string all;
  ForEachPiece(bytes_max, [&](std::string_view piece) { all += piece; });
  return all;
}

std::optional<std::string> Input::ReadLine(size_t bytes_max) {
  size_t searched = begin_;
  while (true) {
    const size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      std::string line = buffer_.substr(begin_, end - begin_);
      begin_ = end + 1;
      return line;
    }
    if (buffer_.size() - begin_ > bytes_max) ThrowTooLong("a line of " + name_, bytes_max);
    searched = buffer_.size() - begin_;
    if (Fill()) continue;
    if (buffer_.empty()) return std::nullopt;
    return std::exchange(buffer_, {});
  }
}

size_t CheckIsText(const std::string& text, const std::string& name) {
  constexpr const char* kAdvice =
      "convert it to UTF-8 text first (pdftotext for PDF, pandoc for office documents, iconv -f "
      "UTF-16 or -f LATIN1 -t UTF-8 for other encodings)";
  if (const size_t at = text.find('\0'); at != std::string::npos)
    Throw(ErrorKind::kInvalidArgument, "{} is not text: byte {} is NUL; {}", name, at, kAdvice);
  size_t invalid = 0;
  size_t first_invalid = 0;
  for (std::string_view rest = text; !rest.empty();) {
    rest.remove_prefix(ValidPrefixLength(rest));
    if (rest.empty()) break;
    if (invalid == 0) first_invalid = text.size() - rest.size();
    const Utf8Unit unit = FrontUnit(rest);
    invalid += unit.length;
    rest.remove_prefix(unit.length);
  }
  if (invalid > text.size() / 10)
    Throw(ErrorKind::kInvalidArgument,
          "{} is not text: {} of its {} bytes are not UTF-8, the first at byte {}; {}", name,
          invalid, text.size(), first_invalid, kAdvice);
  return invalid;
}

}  // namespace statelib::cli
