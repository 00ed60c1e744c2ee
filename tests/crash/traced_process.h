// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CRASH_TRACED_PROCESS_H_
#define STATELIB_TESTS_CRASH_TRACED_PROCESS_H_

#include <functional>

namespace statelib {

enum class TracedEnd {
  kFinished,     ///< the body returned before the n-th call
  kKilled,       ///< SIGKILL, as the n-th call was about to be made
  kFailed,       ///< the body threw
  kNotPossible,  ///< this machine does not allow tracing
};

/// Runs `body` in a process of its own and kills that (SIGKILL) when it is about to make its n-th
/// system call, from 1, that changes a file or a folder: open to create, write, sync, rename,
/// truncate, unlink, mkdir.
TracedEnd RunAndKillAtChange(int n, const std::function<void()>& body);

}  // namespace statelib

#endif  // STATELIB_TESTS_CRASH_TRACED_PROCESS_H_
