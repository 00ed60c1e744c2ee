// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CRASH_TRACED_PROCESS_H_
#define STATELIB_TESTS_CRASH_TRACED_PROCESS_H_

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace statelib {

enum class TracedEnd {
  kFinished,     ///< it ended well before the n-th call
  kKilled,       ///< SIGKILL, as the n-th call was about to be made
  kFailed,       ///< it threw, or ended with another exit code than 0
  kNotPossible,  ///< this machine does not allow tracing
};

/// Runs `body` in a process of its own and kills that (SIGKILL) when it is about to make its n-th
/// system call, from 1, that changes a file or a folder: open to create, write, sync, rename,
/// link, truncate, unlink, mkdir.
TracedEnd RunAndKillAtChange(int n, const std::function<void()>& body);

/// Runs a program, its standard output going nowhere, and kills it with all its threads and
/// processes when one of them is about to make their n-th system call, from 1, that concerns
/// `folder`, given as the program is told it: any call with the folder or something in it as path,
/// or with a descriptor of such a thing.
TracedEnd RunProgramAndKillAtCall(int n, const std::vector<std::string>& command,
                                  const std::map<std::string, std::string>& environment,
                                  const std::filesystem::path& folder);

/// What such a program does when it is let be.
struct TracedCalls {
  TracedEnd end = TracedEnd::kFailed;  ///< never kKilled
  int all = 0;                         ///< how many calls concern `folder`
  /// Those, from 1, before which `folder` is not as it was before the call before. To be killed
  /// before another one leaves what to be killed before the last of these has left.
  std::vector<int> after_changes;
};
TracedCalls RunProgramAndCountCalls(const std::vector<std::string>& command,
                                    const std::map<std::string, std::string>& environment,
                                    const std::filesystem::path& folder);

}  // namespace statelib

#endif  // STATELIB_TESTS_CRASH_TRACED_PROCESS_H_
