// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_EXIT_CODE_H_
#define STATELIB_CLI_EXIT_CODE_H_

#include "core/base/error.h"

namespace statelib::cli {

/// The exit codes besides those of ExitCodeOf(). Scripts rely on them: never change one.
inline constexpr int kExitSuccess = 0;
inline constexpr int kExitInternal = 1;        ///< a bug in statelib
inline constexpr int kExitOutOfDate = 1;       ///< of `status`: documents are not as they were read
inline constexpr int kExitPartial = 9;         ///< done but for files that could not be read
inline constexpr int kExitOutputClosed = 141;  ///< as a shell reports SIGPIPE

/// 2 to 8 and 130, as the list in `statelib --help` says.
int ExitCodeOf(ErrorKind kind);

/// The list for `statelib --help`.
const char* ExitCodesHelp();

}  // namespace statelib::cli

#endif  // STATELIB_CLI_EXIT_CODE_H_
