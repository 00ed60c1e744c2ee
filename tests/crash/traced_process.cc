// SPDX-License-Identifier: Apache-2.0
#include "tests/crash/traced_process.h"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iterator>

namespace statelib {

namespace {

constexpr long kChanges[] = {
    SYS_write,     SYS_pwrite64,  SYS_writev,    SYS_fsync,    SYS_fdatasync,
    SYS_ftruncate, SYS_fallocate, SYS_renameat2, SYS_unlinkat, SYS_mkdirat,
#ifdef SYS_rename
    SYS_rename,    SYS_unlink,    SYS_mkdir,
#endif
#ifdef SYS_renameat
    SYS_renameat,
#endif
};

/// Whether a stopped process is about to change a file or a folder.
bool IsAboutToChange(pid_t child) {
  __ptrace_syscall_info info{};
  constexpr auto kInfo = static_cast<__ptrace_request>(PTRACE_GET_SYSCALL_INFO);
  if (::ptrace(kInfo, child, sizeof(info), &info) <= 0) return false;
  if (info.op != PTRACE_SYSCALL_INFO_ENTRY) return false;
  const auto number = static_cast<long>(info.entry.nr);
  if (number == SYS_openat) return (info.entry.args[2] & O_CREAT) != 0;
  return std::find(std::begin(kChanges), std::end(kChanges), number) != std::end(kChanges);
}

[[noreturn]] void RunChild(const std::function<void()>& body) {
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(99);
  ::raise(SIGSTOP);
  int status = 0;
  try {
    body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "child: %s\n", error.what());
    status = 1;
  }
  ::_exit(status);
}

}  // namespace

TracedEnd RunAndKillAtChange(int n, const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) RunChild(body);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFSTOPPED(status)) return TracedEnd::kNotPossible;
  constexpr long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
  if (::ptrace(PTRACE_SETOPTIONS, child, nullptr, kOptions) != 0) {
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return TracedEnd::kNotPossible;
  }
  int changes = 0;
  while (true) {
    ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    if (::waitpid(child, &status, 0) != child) return TracedEnd::kNotPossible;
    if (WIFEXITED(status))
      return WEXITSTATUS(status) == 0 ? TracedEnd::kFinished : TracedEnd::kFailed;
    if (WIFSIGNALED(status)) return TracedEnd::kFailed;
    if (!IsAboutToChange(child) || ++changes < n) continue;
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return TracedEnd::kKilled;
  }
}

}  // namespace statelib
