// SPDX-License-Identifier: Apache-2.0
#include "tests/cli/process.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

namespace statelib::cli {

namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;

  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
    read_end = ends[0];
    write_end = ends[1];
  }
  Pipe(const Pipe&) = delete;
  ~Pipe() {
    CloseRead();
    CloseWrite();
  }
  void CloseRead() { Close(read_end); }
  void CloseWrite() { Close(write_end); }
  static void Close(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
};

[[noreturn]] void BecomeProgram(const std::vector<std::string>& command,
                                const ProcessOptions& options) {
  for (const auto& [name, value] : options.environment) {
    if (value.empty())
      ::unsetenv(name.c_str());
    else
      ::setenv(name.c_str(), value.c_str(), 1);
  }
  if (!options.working_directory.empty() && ::chdir(options.working_directory.c_str()) != 0)
    ::_exit(126);
  if (!options.out_path.empty()) {
    const int file = ::open(options.out_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0) ::_exit(126);
    ::dup2(file, STDOUT_FILENO);
  }
  if (options.before_start) options.before_start();
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

void Finish(pid_t child, ProcessResult& result) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  if (result.exit_code == 127) throw std::runtime_error("the program could not be started");
}

// Reads what is there; false at the end of the stream.
bool Take(int descriptor, std::string& into, std::string_view& piece) {
  std::array<char, 4096> block{};
  ssize_t size = 0;
  do {
    size = ::read(descriptor, block.data(), block.size());
  } while (size < 0 && errno == EINTR);
  if (size <= 0) return false;  // a pseudo-terminal without its program reports EIO
  into.append(block.data(), static_cast<size_t>(size));
  piece = std::string_view(into).substr(into.size() - static_cast<size_t>(size));
  return true;
}

ProcessResult RunOnTerminal(const std::vector<std::string>& command,
                            const ProcessOptions& options) {
  int terminal = -1;
  winsize size{};
  size.ws_col = 100;
  size.ws_row = 40;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (child < 0) throw std::runtime_error("cannot make a pseudo-terminal");
  if (child == 0) BecomeProgram(command, options);
  ProcessResult result;
  if (options.on_start) options.on_start(child);
  if (::write(terminal, options.input.data(), options.input.size()) !=
      static_cast<ssize_t>(options.input.size()))
    throw std::runtime_error("cannot type on the pseudo-terminal");
  std::string_view piece;
  while (Take(terminal, result.out, piece))
    if (options.on_output) options.on_output(child, piece);
  ::close(terminal);
  Finish(child, result);
  return result;
}

// Moves bytes between the three pipes until both outputs have ended.
void Exchange(pid_t child, const ProcessOptions& options, Pipe& in, Pipe& out, Pipe& err,
              ProcessResult& result) {
  ::fcntl(in.write_end, F_SETFL, O_NONBLOCK);
  std::string_view input = options.input;
  while (out.read_end >= 0 || err.read_end >= 0) {
    if (input.empty()) in.CloseWrite();
    std::array<pollfd, 3> waits = {pollfd{in.write_end, POLLOUT, 0},
                                   pollfd{out.read_end, POLLIN, 0},
                                   pollfd{err.read_end, POLLIN, 0}};
    if (::poll(waits.data(), waits.size(), -1) < 0) continue;
    if (waits[0].revents != 0) {
      const ssize_t size = ::write(in.write_end, input.data(), input.size());
      if (size < 0 && errno != EAGAIN) in.CloseWrite();
      if (size > 0) input.remove_prefix(static_cast<size_t>(size));
    }
    std::string_view piece;
    if (waits[1].revents != 0 && !Take(out.read_end, result.out, piece)) out.CloseRead();
    piece = {};
    if (waits[2].revents != 0 && !Take(err.read_end, result.err, piece)) err.CloseRead();
    if (!piece.empty() && options.on_output) options.on_output(child, piece);
  }
}

}  // namespace

ProcessResult RunProgram(const std::vector<std::string>& command, const ProcessOptions& options) {
  if (options.terminal) return RunOnTerminal(command, options);
  Pipe in;
  Pipe out;
  Pipe err;
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child == 0) {
    ::dup2(in.read_end, STDIN_FILENO);
    ::dup2(out.write_end, STDOUT_FILENO);
    ::dup2(err.write_end, STDERR_FILENO);
    BecomeProgram(command, options);
  }
  in.CloseRead();
  out.CloseWrite();
  err.CloseWrite();
  ProcessResult result;
  if (options.on_start) options.on_start(child);
  Exchange(child, options, in, out, err, result);
  Finish(child, result);
  return result;
}

ProcessResult RunStatelib(const std::vector<std::string>& arguments, ProcessOptions options) {
  for (const char* name :
       {"STATELIB_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "NO_COLOR", "COLUMNS"})
    options.environment.emplace(name, "");
  options.environment.emplace("TERM", "xterm-256color");
  std::vector<std::string> command = {STATELIB_PROGRAM};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return RunProgram(command, options);
}

}  // namespace statelib::cli
