// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/traced_process.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

namespace statelib {

namespace {

constexpr long kChanges[] = {
    SYS_write,     SYS_pwrite64,  SYS_writev,   SYS_fsync,   SYS_fdatasync, SYS_ftruncate,
    SYS_fallocate, SYS_renameat2, SYS_unlinkat, SYS_mkdirat, SYS_linkat,
#ifdef SYS_rename
    SYS_rename,    SYS_unlink,    SYS_mkdir,    SYS_link,
#endif
#ifdef SYS_renameat
    SYS_renameat,
#endif
};

constexpr int kCannotBeTraced = 99;  // exit code

/// The call that a thread is about to make which the filter of BeTraced() has stopped.
__ptrace_syscall_info CallOf(pid_t thread) {
  constexpr auto kInfo = static_cast<__ptrace_request>(PTRACE_GET_SYSCALL_INFO);
  __ptrace_syscall_info info{};
  ::ptrace(kInfo, thread, sizeof(info), &info);
  return info;
}

/// Whether a call changes a file or a folder.
bool IsChange(const __ptrace_syscall_info& info) {
  const auto number = static_cast<long>(info.seccomp.nr);
  if (number == SYS_openat) return (info.seccomp.args[2] & O_CREAT) != 0;
  return std::find(std::begin(kChanges), std::end(kChanges), number) != std::end(kChanges);
}

/// A folder, and whether a call of a stopped thread concerns it. Which of its arguments are
/// descriptors or paths is not known: whatever could be one is looked at as one.
class Folder {
 public:
  explicit Folder(std::string path) : path_(std::move(path)) {}

  bool IsTouchedBy(pid_t thread, const __ptrace_syscall_info& info) const {
    const auto& args = info.seccomp.args;
    const auto number = static_cast<long>(info.seccomp.nr);
    if (number == SYS_mmap) return HasDescriptor(thread, args[4]);
    return HasDescriptor(thread, args[0]) || HasPathAt(thread, args[0]) ||
           HasPathAt(thread, args[1]) ||
           (number == SYS_copy_file_range && HasDescriptor(thread, args[2]));
  }

 private:
  bool Holds(std::string_view path) const {
    return path.starts_with(path_) && (path.size() == path_.size() || path[path_.size()] == '/');
  }
  bool HasDescriptor(pid_t thread, uint64_t descriptor) const {
    constexpr uint64_t kDescriptorsMax = 1 << 20;
    if (descriptor > kDescriptorsMax) return false;
    char link[64];
    std::snprintf(link, sizeof(link), "/proc/%d/fd/%d", thread, static_cast<int>(descriptor));
    char path[4096];
    const ssize_t size = ::readlink(link, path, sizeof(path));
    return size > 0 && Holds({path, static_cast<size_t>(size)});
  }
  /// Reads on while it looks like the path.
  bool HasPathAt(pid_t thread, uint64_t address) const {
    std::string path;
    while (path.size() <= path_.size()) {
      errno = 0;
      const long word = ::ptrace(PTRACE_PEEKDATA, thread, address + path.size(), nullptr);
      if (errno != 0) return false;
      path.append(reinterpret_cast<const char*>(&word), sizeof(word));
      const size_t common = std::min(path.size(), path_.size());
      if (path.compare(0, common, path_, 0, common) != 0) return false;
    }
    return Holds(path.substr(0, path.find('\0')));
  }

  std::string path_;
};

/// All that a folder holds, with the times of the last writes.
using Content = std::map<std::string, std::pair<std::filesystem::file_time_type, std::string>>;
Content ContentOf(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  Content content;
  if (!fs::exists(folder)) return content;
  content[""];
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    auto& [time, bytes] = content[entry.path().string()];
    if (!entry.is_regular_file()) continue;
    time = entry.last_write_time();
    std::ifstream file(entry.path(), std::ios::binary);
    bytes.resize(entry.file_size());
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  return content;
}

using Counts = std::function<bool(pid_t thread, const __ptrace_syscall_info& info)>;

/// Waits for a child that has asked to be traced and lets it run, followed into all its threads and
/// processes, until the n-th call that counts.
TracedEnd Follow(pid_t child, int n, const Counts& counts) {
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFSTOPPED(status)) return TracedEnd::kNotPossible;
  constexpr long kOptions = PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE |
                            PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK;
  if (::ptrace(PTRACE_SETOPTIONS, child, nullptr, kOptions) != 0) {
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return TracedEnd::kNotPossible;
  }
  constexpr int kSystemCall = SIGTRAP | (PTRACE_EVENT_SECCOMP << 8);
  std::set<pid_t> alive = {child};
  TracedEnd end = TracedEnd::kFailed;
  ::ptrace(PTRACE_CONT, child, nullptr, nullptr);
  for (int counted = 0; !alive.empty();) {
    const pid_t thread = ::waitpid(-1, &status, __WALL);
    if (thread < 0) break;
    if (!WIFSTOPPED(status)) {
      alive.erase(thread);
      if (thread != child || end == TracedEnd::kKilled || !WIFEXITED(status)) continue;
      if (WEXITSTATUS(status) == 0) end = TracedEnd::kFinished;
      if (WEXITSTATUS(status) == kCannotBeTraced) end = TracedEnd::kNotPossible;
      continue;
    }
    alive.insert(thread);
    if (status >> 8 == kSystemCall && counts(thread, CallOf(thread)) && ++counted == n)
      end = TracedEnd::kKilled;
    if (end == TracedEnd::kKilled) {
      for (const pid_t each : alive) ::kill(each, SIGKILL);
      continue;
    }
    // New threads begin with SIGSTOP; what tracing itself reports is SIGTRAP.
    const int stop = WSTOPSIG(status);
    ::ptrace(PTRACE_CONT, thread, nullptr, stop == SIGTRAP || stop == SIGSTOP ? 0 : stop);
  }
  return end;
}

/// Lets this process and all that it starts be stopped before every system call.
void BeTraced() {
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(kCannotBeTraced);
  ::raise(SIGSTOP);
  sock_filter stop[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE)};
  const sock_fprog filter{1, stop};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
    ::_exit(kCannotBeTraced);
}

[[noreturn]] void RunChild(const std::function<void()>& body) {
  BeTraced();
  int status = 0;
  try {
    body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "child: %s\n", error.what());
    status = 1;
  }
  ::_exit(status);
}

[[noreturn]] void BecomeProgram(const std::vector<std::string>& command,
                                const std::map<std::string, std::string>& environment) {
  BeTraced();
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  const int nowhere = ::open("/dev/null", O_WRONLY);
  ::dup2(nowhere, STDOUT_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

}  // namespace

TracedEnd RunAndKillAtChange(int n, const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) RunChild(body);
  return Follow(child, n, [](pid_t, const __ptrace_syscall_info& info) { return IsChange(info); });
}

TracedEnd RunProgramAndKillAtCall(int n, const std::vector<std::string>& command,
                                  const std::map<std::string, std::string>& environment,
                                  const std::filesystem::path& folder) {
  const pid_t child = ::fork();
  if (child == 0) BecomeProgram(command, environment);
  const Folder watched(folder.string());
  return Follow(child, n, [&watched](pid_t thread, const __ptrace_syscall_info& info) {
    return watched.IsTouchedBy(thread, info);
  });
}

TracedCalls RunProgramAndCountCalls(const std::vector<std::string>& command,
                                    const std::map<std::string, std::string>& environment,
                                    const std::filesystem::path& folder) {
  const pid_t child = ::fork();
  if (child == 0) BecomeProgram(command, environment);
  const Folder watched(folder.string());
  TracedCalls calls;
  Content last;
  constexpr int kNever = 0;
  calls.end = Follow(child, kNever, [&](pid_t thread, const __ptrace_syscall_info& info) {
    if (!watched.IsTouchedBy(thread, info)) return false;
    Content content = ContentOf(folder);
    if (++calls.all == 1 || content != last) calls.after_changes.push_back(calls.all);
    last = std::move(content);
    return true;
  });
  return calls;
}

}  // namespace statelib
