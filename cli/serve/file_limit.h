// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_FILE_LIMIT_H_
#define STATELIB_CLI_SERVE_FILE_LIMIT_H_

#include <cstddef>

#include "cli/serve/http_server.h"

namespace statelib::cli {

/// Lets this process open as many files as the system allows it, and returns how many.
size_t RaiseFileLimit();
/// How many open files a server with these limits may need.
size_t FilesNeeded(const ServerLimits& limits);
/// The limits with so few connections that `files` suffice; the same where they do.
ServerLimits FittedTo(ServerLimits limits, size_t files);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_FILE_LIMIT_H_
