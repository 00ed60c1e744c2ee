// SPDX-License-Identifier: Apache-2.0
#include "statestore/documents/extractor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include "core/base/error.h"
#include "core/base/utf8.h"

namespace statelib::documents {

namespace {

constexpr size_t kAnswerBytesMax = kWholeTextBytesMax + 4096;
// A process that waits for nothing needs little more time than processor time; a stopped or
// starved one must not be waited for without end.
constexpr std::chrono::seconds kPatience{10 * kExtractCpuSecondsMax};

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() { Close(); }
  int number() const { return number_; }
  void Close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_;
};

/// The bytes as a file that lies nowhere.
Descriptor MemoryFile(std::string_view bytes) {
  Descriptor file(::memfd_create("document", MFD_CLOEXEC));
  if (file.number() < 0) ThrowErrno("making", "a file in memory", errno);
  while (!bytes.empty()) {
    const ssize_t size = ::write(file.number(), bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) ThrowErrno("writing", "a file in memory", errno);
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  ::lseek(file.number(), 0, SEEK_SET);
  return file;
}

/// A child process, killed and waited for when this ends before it does.
class Child {
 public:
  Child(const std::filesystem::path& program, const std::string& name, int input, int output) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    std::string path = program.string();
    std::string argument = name;
    char* arguments[] = {path.data(), argument.data(), nullptr};
    const int code = ::posix_spawn(&pid_, path.c_str(), &actions, nullptr, arguments, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (code == ENOENT)
      Throw(ErrorKind::kNotFound,
            "{}: this program, which reads documents other than plain UTF-8, is not there; install "
            "statelib whole",
            path);
    if (code != 0) ThrowErrno("starting", path, code);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    Wait();
  }

  /// Returns the status as waitpid(2) has it.
  int Wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
};

std::string ReadAnswer(int descriptor, const std::string& name, const CancelFlag* cancel) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::string answer;
  std::array<char, 1 << 16> block{};
  while (true) {
    if (cancel != nullptr) cancel->Check();
    if (std::chrono::steady_clock::now() > deadline)
      Throw(ErrorKind::kInvalidArgument, "{}: reading it took too long", name);
    pollfd wanted = {descriptor, POLLIN, 0};
    if (::poll(&wanted, 1, 100) <= 0) continue;
    const ssize_t size = ::read(descriptor, block.data(), block.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) ThrowErrno("reading", name, errno);
    if (size == 0) return answer;
    answer.append(block.data(), static_cast<size_t>(size));
    if (answer.size() > kAnswerBytesMax)
      Throw(ErrorKind::kInvalidArgument, "{}: its text is longer than {} bytes", name,
            kWholeTextBytesMax);
  }
}

void CheckEnd(int status, const std::string& name, const CancelFlag* cancel) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  if (cancel != nullptr) cancel->Check();
  if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
    Throw(ErrorKind::kInvalidArgument,
          "{}: reading it took more than {} seconds of processor time, or more memory than there "
          "is",
          name, kExtractCpuSecondsMax);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)
    Throw(ErrorKind::kCancelled, "stopped while reading {}", name);
  Throw(ErrorKind::kCorrupt, "{}: the reader of its format broke on it ({})", name,
        WIFSIGNALED(status) ? ::strsignal(WTERMSIG(status)) : "it ended early");
}

[[noreturn]] void ThrowSaid(std::string_view kind, const std::string& message) {
  for (const ErrorKind known : {ErrorKind::kInvalidArgument, ErrorKind::kCorrupt, ErrorKind::kIo})
    if (kind == NameOf(known)) throw Error(known, message);
  throw Error(ErrorKind::kUnsupported, message);
}

ExtractedText Parse(std::string answer, const std::string& name) {
  const size_t end = answer.find('\n');
  const std::string head = answer.substr(0, end);
  const size_t first = head.find(' ');
  const size_t second = head.find(' ', first + 1);
  if (end != std::string::npos && head.starts_with("error "))
    ThrowSaid(head.substr(6), answer.substr(end + 1));
  if (end == std::string::npos || !head.starts_with("text ") || second == std::string::npos)
    Throw(ErrorKind::kUnsupported,
          "{}: statelib-extract answered something else than this statelib expects; install both "
          "of one version",
          name);
  const size_t third = std::min(head.find(' ', second + 1), head.size());
  const std::string encoding = head.substr(second + 1, third - second - 1);
  answer.erase(0, end + 1);
  return {head.substr(first + 1, second - first - 1), encoding == "-" ? "" : encoding,
          std::move(answer), head.substr(third) == " guessed"};
}

}  // namespace

ExtractedText Extractor::Extract(std::string bytes, const std::string& name,
                                 const CancelFlag* cancel) const {
  if (CountPlainUtf8(bytes, name)) return {"text", "UTF-8", std::move(bytes)};
  const Descriptor document = MemoryFile(bytes);
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) ThrowErrno("making", "a pipe", errno);
  const Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  Child child(program_, name, document.number(), to.number());
  to.Close();
  std::string answer = ReadAnswer(from.number(), name, cancel);
  CheckEnd(child.Wait(), name, cancel);
  return Parse(std::move(answer), name);
}

}  // namespace statelib::documents
